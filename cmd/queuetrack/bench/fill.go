package bench

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"queuetrack/projection"
)

// fillPage is how many events go into the log in one transaction while it is filled.
const fillPage = 5000

// FillLog makes each source's log one of so many events, each of a site of its own, as if the door had taken them: dense
// positions, digests and all. It goes past the door, by COPY, and makes the log's indexes anew when it is full, so that
// ten million events are a matter of a minute or two; memory doesn't grow with them. The database must be the caller's
// alone, its log empty.
func FillLog(ctx context.Context, pool *pgxpool.Pool, sources []string, events int64) error {
	indexes, err := dropIndexes(ctx, pool, "event")
	if err != nil {
		return fmt.Errorf("drop the log's indexes: %w", err)
	}
	for i, source := range sources {
		if err := fillSource(ctx, pool, source, newSite(uint64(i)), events); err != nil {
			return fmt.Errorf("fill the log of %s: %w", source, err)
		}
	}
	for _, statement := range append(indexes, `VACUUM ANALYZE event`) {
		if _, err := pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// dropIndexes drops all of a table's but the primary key, and returns the statements that make them again.
func dropIndexes(ctx context.Context, pool *pgxpool.Pool, table string) ([]string, error) {
	rows, err := pool.Query(ctx, `
		SELECT i.indexname, i.indexdef
		FROM pg_indexes i
		JOIN pg_index AS x ON x.indexrelid = i.indexname::regclass
		WHERE i.schemaname = current_schema() AND i.tablename = $1 AND NOT x.indisprimary
		ORDER BY i.indexname`, table)
	if err != nil {
		return nil, err
	}
	var names, definitions []string
	var name, definition string
	_, err = pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		names, definitions = append(names, pgx.Identifier{name}.Sanitize()), append(definitions, definition)
		return nil
	})
	for _, name := range names {
		if err == nil {
			_, err = pool.Exec(ctx, `DROP INDEX `+name)
		}
	}
	return definitions, err
}

// fillSource fills one source's log: while a page goes into the database, the next one is made.
func fillSource(ctx context.Context, pool *pgxpool.Pool, source string, s *site, events int64) error {
	if _, err := pool.Exec(ctx, `INSERT INTO log_head (source) VALUES ($1)`, source); err != nil {
		return err
	}
	full, empty := make(chan *projection.Copy, 2), make(chan *projection.Copy, 2)
	for range cap(empty) {
		empty <- projection.NewCopy(0, "event",
			"source", "position", "ticket", "type", "occurred_at", "received_at", "body", "digest", "delivery_id", "verified_by")
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(full)
		for position := int64(1); position <= events; {
			select {
			case page := <-empty:
				for end := min(position+fillPage, events+1); position < end; position++ {
					s.next().copyTo(page, source, position, s.random)
				}
				full <- page
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		for page := range full {
			err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return page.Flush(ctx, tx) })
			if err != nil {
				return err
			}
			empty <- page
		}
		return nil
	})
	return group.Wait()
}

// copyTo adds the event as a row of the log.
func (e event) copyTo(page *projection.Copy, source string, position int64, random *rand.Rand) {
	digest := sha256.Sum256(e.Body)
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], random.Uint64())
	binary.BigEndian.PutUint64(id[8:], random.Uint64())
	page.Row()
	page.Text(source)
	page.Int8(position)
	if e.Ticket == "" {
		page.Null()
	} else {
		page.Text(e.Ticket)
	}
	page.Text(e.Type)
	page.Time(e.occurredAt)
	page.Time(e.receivedAt)
	page.Bytes(e.Body)
	page.Bytes(digest[:])
	page.Bytes(id[:])
	page.Text("literal-1")
}
