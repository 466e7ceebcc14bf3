package projection_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/projection"
)

// sight is what a reader saw in one view: an answer, and the decisions that it depends on.
type sight struct {
	projection.Checkpoints
	lines     []string // sorted
	dead      map[string]map[int64]*letter
	dismissed map[string]map[int64]bool
	recorded  map[string]map[int64]bool // positions that a ticket's history has
}

// letter is a dead letter, or one that waits.
type letter struct {
	behind int64
	cause  string
}

// unfinished reports whether nothing is known against it: a retry was interrupted.
func (l *letter) unfinished() bool { return strings.HasPrefix(l.cause, "not tried again yet") }

// look reads a sight. half, if any, is called when a part of it has been read.
func look(ctx context.Context, pool *pgxpool.Pool, half func(*projection.View)) (*sight, error) {
	s := &sight{dead: map[string]map[int64]*letter{}, dismissed: map[string]map[int64]bool{}, recorded: map[string]map[int64]bool{}}
	err := projection.NewReader(pool).View(ctx, func(v *projection.View) error {
		s.Checkpoints = v.Checkpoints
		for i, read := range []func(context.Context, *projection.View) error{
			s.tickets, s.decisions, s.queues, s.history, s.segments,
		} {
			if i == 1 && half != nil {
				half(v)
			}
			if err := read(ctx, v); err != nil {
				return err
			}
		}
		return nil
	})
	slices.Sort(s.lines)
	return s, err
}

func (s *sight) tickets(ctx context.Context, v *projection.View) error {
	var source, id string
	var stored []byte
	return each(ctx, v, `SELECT source, ticket, state FROM board_ticket_{set}`, []any{&source, &id, &stored}, func() error {
		state, err := projection.DecodeState(stored)
		s.lines = append(s.lines, ticketLine(source, id, state))
		return err
	})
}

func (s *sight) queues(ctx context.Context, v *projection.View) error {
	var source, queue string
	var n [5]int
	return each(ctx, v, `
		SELECT source, queue, waiting, called, serving, on_hold, booked
		FROM board_queue_{set}`, []any{&source, &queue, &n[0], &n[1], &n[2], &n[3], &n[4]}, func() error {
		if n != [5]int{} {
			s.lines = append(s.lines, queueLine(source, queue, n[:]...))
		}
		return nil
	})
}

func (s *sight) history(ctx context.Context, v *projection.View) error {
	var source, id string
	var positions []int64
	return each(ctx, v, `
		SELECT source, ticket, array_agg(position ORDER BY position)
		FROM history_{set}
		GROUP BY source, ticket`, []any{&source, &id, &positions}, func() error {
		s.lines = append(s.lines, historyLine(source, id, positions))
		for _, p := range positions {
			put(s.recorded, source, p, true)
		}
		return nil
	})
}

func (s *sight) segments(ctx context.Context, v *projection.View) error {
	var source, id string
	var n int
	return each(ctx, v, `
		SELECT source, ticket, count(*)
		FROM wait_segment_{set}
		GROUP BY source, ticket`, []any{&source, &id, &n}, func() error {
		s.lines = append(s.lines, segmentsLine(source, id, n))
		return nil
	})
}

func (s *sight) decisions(ctx context.Context, v *projection.View) error {
	var source, cause string
	var position, behind int64
	err := each(ctx, v, fmt.Sprintf(`
		SELECT source, position, coalesce(behind, 0), cause
		FROM dead_letter
		WHERE generation = %d`, v.Generation), []any{&source, &position, &behind, &cause}, func() error {
		put(s.dead, source, position, &letter{behind, cause})
		return nil
	})
	if err != nil {
		return err
	}
	return each(ctx, v, `SELECT source, position FROM dismissal`, []any{&source, &position}, func() error {
		put(s.dismissed, source, position, true)
		return nil
	})
}

func each(ctx context.Context, v *projection.View, sql string, scans []any, f func() error) error {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(sql))
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, scans, f)
	return err
}

func put[V any](m map[string]map[int64]V, source string, position int64, v V) {
	if m[source] == nil {
		m[source] = map[int64]V{}
	}
	m[source][position] = v
}

// reader is one who takes its time: it has read a part of its answer, and reads the rest when it is let.
type reader struct {
	pid  int32
	on   chan struct{}
	done chan struct{}
	seen *sight
	err  error
}

func newReader(ctx context.Context, pool *pgxpool.Pool) *reader {
	r := &reader{on: make(chan struct{}), done: make(chan struct{})}
	half := make(chan struct{})
	go func() {
		defer close(r.done)
		r.seen, r.err = look(ctx, pool, func(v *projection.View) {
			r.pid = int32(v.Tx.Conn().PgConn().PID())
			close(half)
			<-r.on
		})
	}()
	select {
	case <-half:
	case <-r.done:
	}
	return r
}

func (r *reader) finish() (*sight, error) {
	close(r.on)
	<-r.done
	return r.seen, r.err
}
