package estimate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// QueueID names a queue.
type QueueID struct{ Source, Queue string }

// Pasts are what queues have seen, for answers about many of them.
type Pasts struct {
	pasts  map[QueueID]*Past
	others map[string]*Others
}

// Now reads what the queues of all sources ("") or of one have seen.
func Now(ctx context.Context, v *projection.View, source string) (*Pasts, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT source, queue, past
		FROM estimate_queue_{set}
		WHERE $1 = '' OR source = $1`), source)
	if err != nil {
		return nil, fmt.Errorf("read what the queues have seen: %w", err)
	}
	p := &Pasts{pasts: map[QueueID]*Past{}}
	var id QueueID
	var stored []byte
	_, err = pgx.ForEachRow(rows, []any{&id.Source, &id.Queue, &stored}, func() error {
		var past Past
		p.pasts[id] = &past
		return past.decode(stored)
	})
	if err != nil {
		return nil, fmt.Errorf("read what the queues have seen: %w", err)
	}
	return p, nil
}

// At computes again what a queue had seen when its source's log was folded up to a position. It reads all moves of the
// queue up to there, and of the whole source as long as the queue has seen too few waits to tell a range from: some
// microseconds each.
func (m Model) At(ctx context.Context, v *projection.View, id QueueID, position int64) (*Pasts, error) {
	f, err := m.at(ctx, v, id, position)
	if _, enough := f.queue(id.Queue).Waits.ratios(); err == nil && !enough {
		f, err = m.at(ctx, v, QueueID{Source: id.Source}, position)
	}
	if err != nil {
		return nil, fmt.Errorf("fold the moves of %s up to %d: %w", id.Source, position, err)
	}
	p := &Pasts{pasts: map[QueueID]*Past{}}
	for queue, q := range f.queues {
		p.pasts[QueueID{id.Source, queue}] = &q.Past
	}
	return p, nil
}

// at folds the moves of a queue, or of all queues of the source.
func (m Model) at(ctx context.Context, v *projection.View, id QueueID, position int64) (*folding, error) {
	f := &folding{zone: m.zone(id.Source), queues: map[string]*queue{}, others: &Others{}}
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT `+strings.Join(moveColumns, ", ")+`
		FROM estimate_move_{set}
		WHERE source = $1 AND position <= $2 AND ($3 = '' OR queue = $3)
		ORDER BY position, n`), id.Source, position, id.Queue)
	if err != nil {
		return f, err
	}
	defer rows.Close()
	for rows.Next() {
		m, err := scanMove(rows)
		if err != nil {
			return f, err
		}
		f.apply(m)
		f.finished = f.finished[:0]
	}
	return f, rows.Err()
}

// Newcomer tells how long somebody who comes to the queue now has to wait; false when that can't be told.
func (p *Pasts) Newcomer(id QueueID, now time.Time, zone *time.Location, l Line) (Estimate, bool) {
	past, others := p.of(id)
	return past.Newcomer(now, zone, l, others)
}

// Remaining tells how long somebody who waits in the queue, behind so many, has to wait from now on; false when that can't
// be told.
func (p *Pasts) Remaining(id QueueID, now time.Time, zone *time.Location, ahead int64) (Estimate, bool) {
	past, others := p.of(id)
	return past.Remaining(now, zone, ahead, others)
}

// of is what the queue has seen, and what all of its source have, where that is needed.
func (p *Pasts) of(id QueueID) (*Past, *Others) {
	past := p.pasts[id]
	if past == nil {
		past = &Past{}
	}
	if _, enough := past.Waits.ratios(); enough {
		return past, nil
	}
	if p.others[id.Source] == nil {
		if p.others == nil {
			p.others = map[string]*Others{}
		}
		pasts := map[string]*Past{}
		for other, past := range p.pasts {
			if other.Source == id.Source {
				pasts[other.Queue] = past
			}
		}
		p.others[id.Source] = othersOf(pasts)
	}
	return past, p.others[id.Source]
}
