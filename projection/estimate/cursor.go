package estimate

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// sortMemory is what the moves' sort may take; it goes on in a file.
const sortMemory = `64MB`

// moveCursor reads all moves of a source in the log's order, a page at each call; none at the end. One at a time in a
// transaction.
func moveCursor(ctx context.Context, tx pgx.Tx, set projection.Set, source string) (next func() ([]move, error), err error) {
	return cursor(ctx, tx, "estimate_moves", set.SQL(`
		SELECT `+strings.Join(moveColumns, ", ")+`
		FROM estimate_move_{set}
		WHERE source = $1
		ORDER BY position, n`), source, scanMove)
}

// cursor opens a cursor of that name and returns what reads it. It is closed at its end, else with the transaction.
func cursor[T any](ctx context.Context, tx pgx.Tx, name, query, source string, scan pgx.RowToFunc[T]) (func() ([]T, error), error) {
	if _, err := tx.Exec(ctx, `SET LOCAL work_mem = '`+sortMemory+`'`); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `DECLARE `+name+` NO SCROLL CURSOR FOR `+query, source); err != nil {
		return nil, err
	}
	fetch := fmt.Sprintf(`FETCH %d FROM %s`, settlePage, name)
	return func() ([]T, error) {
		rows, err := tx.Query(ctx, fetch)
		if err != nil {
			return nil, err
		}
		page, err := pgx.CollectRows(rows, scan)
		if err == nil && len(page) == 0 {
			_, err = tx.Exec(ctx, `CLOSE `+name)
		}
		return page, err
	}, nil
}
