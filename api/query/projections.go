package query

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/projection"
)

// progress is how far one source is folded in one generation, on the wire.
type progress struct {
	Generation  int     `json:"generation" minimum:"0"`
	State       string  `json:"state" doc:"serving: what answers are read from; building: being filled; previous: kept for a rollback."`
	Source      string  `json:"source"`
	Position    int64   `json:"position" minimum:"0" doc:"Folded through."`
	Tail        int64   `json:"tail" minimum:"0" doc:"Of the log, read in the same snapshot."`
	LagEvents   int64   `json:"lag_events" minimum:"0" doc:"Not folded yet."`
	LagSeconds  float64 `json:"lag_seconds" minimum:"0" doc:"Age of the oldest event not folded yet."`
	DeadLetters int64   `json:"dead_letters" minimum:"0" doc:"Events that could not be decoded or folded."`
	Halted      *string `json:"halted" doc:"Why it stopped and needs a person; null: it runs."`

	Drift []string `json:"drift" enum:"code,settings" doc:"What it was folded with, wholly or in part, and differs from what this server folds with: another version (code), other settings of the source that its adapter reads (settings). Not empty for the serving generation: a rebuild is due."`
}

// generations is the answer of /v1/projections.
type generations struct {
	Generation int `json:"generation" minimum:"0" doc:"The one that answers are read from."`
	Folded[progress]
}

// deadLetter is one on the wire.
type deadLetter struct {
	Source   string  `json:"source"`
	Position int64   `json:"position" minimum:"1"`
	Ticket   *string `json:"ticket"`
	Cause    string  `json:"cause" doc:"Why it could not be decoded or folded."`
	Waiting  int64   `json:"waiting" minimum:"0" doc:"Later events of the ticket that wait behind it."`
}

type deadLettersInput struct {
	Source string `query:"source" doc:"Only this source."`
	Paged
}

func (d *Door) registerProjections(h huma.API) {
	get(d, h, operation{
		id: "list-projections", path: "/v1/projections", tag: tagLog,
		summary: "How far the read models are",
		details: "Per generation and source, with what is still to fold and what could not be.",
	}, d.listProjections)
	get(d, h, operation{
		id: "list-dead-letters", path: "/v1/dead-letters", tag: tagLog,
		summary: "Events that could not be decoded or folded, with the cause",
	}, d.listDeadLetters)
}

func (d *Door) listProjections(ctx context.Context, _ *struct{}) (answer generations, err error) {
	rows, err := d.reader.Progress(ctx)
	if err != nil {
		return answer, err
	}
	answer.Positions, answer.Items = map[string]int64{}, []progress{}
	for _, name := range d.names {
		answer.Positions[name] = 0
	}
	for _, row := range rows {
		if !d.known(row.Source) {
			continue
		}
		answer.Items = append(answer.Items, progressOf(row))
		if row.State == stateServing {
			answer.Generation = row.Generation
			answer.Positions[row.Source] = row.Position
		}
	}
	return answer, nil
}

// stateServing is projection.Progress.State of the generation that answers are read from.
const stateServing = "serving"

func progressOf(p projection.Progress) progress {
	return progress{
		Generation: p.Generation, State: p.State, Source: p.Source, Position: p.Position, Tail: p.Tail,
		LagEvents: max(0, p.Tail-p.Position), LagSeconds: p.LagSeconds, DeadLetters: p.DeadLetters, Halted: optional(p.Halted),
		Drift: append([]string{}, p.Drift...),
	}
}

func (d *Door) listDeadLetters(ctx context.Context, in *deadLettersInput) (answer Folded[deadLetter], err error) {
	asked, from, err := d.fromPosition(ctx, in.Paged, in.Source)
	if err != nil {
		return answer, err
	}
	// Positions first: an answer may know more than it says, never less.
	err = d.view(ctx, time.Time{}, func(v *projection.View) error {
		answer.Positions = d.positions(v)
		return nil
	})
	if err != nil {
		return answer, err
	}
	rows, err := d.reader.DeadLetters(ctx, from.source, from.afterSource, from.after, asked.limit+1)
	if err != nil {
		return answer, err
	}
	rows, answer.Next = trim(rows, asked, func(l projection.DeadLetter) []string { return []string{l.Source, decimal(l.Position)} })
	rows = slices.DeleteFunc(rows, func(l projection.DeadLetter) bool { return !d.known(l.Source) })
	answer.Items = convert(rows, func(l projection.DeadLetter) deadLetter {
		return deadLetter{Source: l.Source, Position: l.Position, Ticket: optional(l.Ticket), Cause: l.Cause, Waiting: l.Waiting}
	})
	return answer, nil
}
