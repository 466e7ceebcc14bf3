package bench

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// The yardstick's table has the log's columns and keys.
const createYardstick = `CREATE TABLE yardstick (LIKE event INCLUDING ALL)`

const insertRow = `
	INSERT INTO yardstick (source, position, ticket, type, occurred_at, received_at, body, digest, delivery_id, verified_by)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

// inserter is one connection of the yardstick: one row, one commit, with a prepared statement.
type inserter struct {
	conn      *pgx.Conn
	positions *atomic.Int64
	visits    *visits
}

func openInserter(ctx context.Context, url string, positions *atomic.Int64, v *visits) (*inserter, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return &inserter{conn, positions, v}, nil
}

func (i *inserter) close() { _ = i.conn.Close(context.Background()) } // everything is committed

// send inserts the next row; it is committed when it returns.
func (i *inserter) send(ctx context.Context) error {
	row, now := i.visits.row(), time.Now()
	digest := sha256.Sum256(row.Body)
	_, err := i.conn.Exec(ctx, insertRow, Source, i.positions.Add(1), row.Ticket, row.Type, now, now, row.Body,
		digest[:], uuid.New(), "literal-1")
	if err != nil {
		return fmt.Errorf("insert a row: %w", err)
	}
	return nil
}
