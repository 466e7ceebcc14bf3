package board

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore/source"
	"queuetrack/projection"
)

// Names are the vendors' latest names.
type Names struct{ m map[nameKey]string }

type nameKey struct{ source, kind, id string }

// NamesOf returns the vendors' latest names of all sources ("") or of one.
func NamesOf(ctx context.Context, v *projection.View, source string) (Names, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT source, kind, id, name
		FROM board_name_{set}
		WHERE $1 = '' OR source = $1`), source)
	if err != nil {
		return Names{}, fmt.Errorf("read names: %w", err)
	}
	n := Names{map[nameKey]string{}}
	var key nameKey
	var name string
	_, err = pgx.ForEachRow(rows, []any{&key.source, &key.kind, &key.id, &name}, func() error {
		n.m[key] = name
		return nil
	})
	if err != nil {
		return Names{}, fmt.Errorf("read names: %w", err)
	}
	return n, nil
}

// Queue returns the vendor's name of the queue, else "".
func (n Names) Queue(src, id string) string { return n.of(source.NameQueue, src, id) }

// Location returns the vendor's name of the location with this id, else "".
func (n Names) Location(src, id string) string { return n.of(source.NameLocation, src, id) }

// QueueLocation returns what the vendor calls the location of the queue, else "".
func (n Names) QueueLocation(src, queue string) string {
	return n.of(source.NameQueueLocation, src, queue)
}

func (n Names) of(kind source.NameKind, src, id string) string {
	return n.m[nameKey{src, string(kind), id}]
}
