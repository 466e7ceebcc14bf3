// Package history is the read model of what happened to a ticket: one row an event, with what the event said, what the
// fold made of it, and the ticket's state after it (NULL where that tells the same as before: feedback and repetitions
// are common, and a ticket that has reached ticket.MaxFacts hardly changes).
//
// A row holds from its position up to the ticket's next event, so "what had we been told by position p" is the one row
// with position ≤ p < next_position, and its state the last one that is not NULL up to there: no replay. ([At] is of one
// ticket, [OpenAt] of all that stood in a queue.)
//
// (The state's own last_position is that of the event which brought it about; last_received_at likewise.) Rows say what
// was known when the event was folded, and a later event that changes the past does not touch them, but for the link to
// itself.
package history

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// Model is the history's writes and its self-check.
type Model struct{ projection.Unordered }

var _ projection.ReadModel = Model{}

// Entry is one event in a ticket's history.
type Entry struct {
	Position    int64
	Type        string // the vendor's
	Transitions []ticket.Transition
	OccurredAt  time.Time // zero: not told
	ReceivedAt  time.Time
	RepeatOf    int64             // 0: none
	Detail      map[string]string // what the event said: status, queue, desk, agent, label, by, reason; empty ones left out
}

// Of returns the ticket's entries after a position, in order, at most limit.
func Of(ctx context.Context, v *projection.View, source, id string, after int64, limit int) ([]Entry, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT position, type, transitions, occurred_at, received_at, coalesce(repeat_of, 0), detail
		FROM history_{set}
		WHERE source = $1 AND ticket = $2 AND position > $3
		ORDER BY position
		LIMIT $4`), source, id, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the history of ticket %s of %s: %w", id, source, err)
	}
	entries, err := pgx.CollectRows(rows, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read the history of ticket %s of %s: %w", id, source, err)
	}
	return entries, nil
}

func scanEntry(row pgx.CollectableRow) (Entry, error) {
	var e Entry
	var occurred *time.Time
	err := row.Scan(&e.Position, &e.Type, &e.Transitions, &occurred, &e.ReceivedAt, &e.RepeatOf, &e.Detail)
	e.OccurredAt, e.ReceivedAt = projection.TimeOf(occurred), e.ReceivedAt.UTC()
	return e, err
}

// row is a row of history_{set}.
type row struct {
	Next        int64 // 0: NULL
	Type        string
	Transitions string // separated by a space
	OccurredAt  time.Time
	ReceivedAt  time.Time
	RepeatOf    int64  // 0: NULL
	Detail      string // JSON, its keys sorted
	State       string // a digest of what is stored, filled in to compare only; empty: NULL, as before
	Open        bool   // whether the ticket stands in a queue after the event
}

// rowOf is the row of a change, without its link to the next one.
func rowOf(c projection.Change) (row, error) {
	detail, err := detailOf(&c.Says)
	if err != nil {
		return row{}, fmt.Errorf("encode what event %d said: %w", c.Event.Position, err)
	}
	return row{
		Type: c.Event.Type, Transitions: joined(c.Transitions),
		OccurredAt: projection.StoredTime(c.Event.OccurredAt), ReceivedAt: projection.StoredTime(c.Event.ReceivedAt),
		RepeatOf: c.Event.RepeatOf, Detail: detail,
		Open: c.After.Status != "" && !c.After.Status.Ended(),
	}, nil
}

// joined are the transitions, separated by a space. Mostly there is one.
func joined(ts []ticket.Transition) string {
	if len(ts) == 1 {
		return string(ts[0])
	}
	var b strings.Builder
	for i, t := range ts {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(t))
	}
	return b.String()
}

// detailOf is what the event itself said, in words: the JSON that encoding/json makes of a map of them.
func detailOf(o *ticket.Observation) (string, error) {
	b := make([]byte, 0, usualDetail)
	for _, said := range [...]struct{ key, value string }{
		{"agent", o.Agent},
		{"by", string(o.By)},
		{"desk", o.Desk},
		{"label", o.Label},
		{"queue", o.Queue},
		{"reason", o.Reason},
		{"status", string(o.Status)},
	} {
		if said.value == "" {
			continue
		}
		b = append(append(append(b, `,"`...), said.key...), `":`...)
		var err error
		if b, err = appendQuoted(b, said.value); err != nil {
			return "", err
		}
	}
	if len(b) == 0 {
		return "{}", nil
	}
	b[0] = '{'
	return string(append(b, '}')), nil
}

// usualDetail is what it mostly takes, in bytes.
const usualDetail = 128

// appendQuoted appends the text as a JSON string.
func appendQuoted(b []byte, text string) ([]byte, error) {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(text)
			return append(b, quoted...), err
		}
	}
	return append(append(append(b, '"'), text...), '"'), nil
}
