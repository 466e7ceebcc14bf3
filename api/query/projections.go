package query

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/projection"
)

// progress is how far one source is folded in one generation, on the wire.
type progress struct {
	Generation  int     `json:"generation" minimum:"0" doc:"A whole set of read models; each rebuild makes the next one."`
	State       string  `json:"state" doc:"serving: what answers are read from; building: being filled; previous: kept for a rollback."`
	Source      string  `json:"source" doc:"The configured source."`
	Position    int64   `json:"position" minimum:"0" doc:"Folded through."`
	Tail        int64   `json:"tail" minimum:"0" doc:"Of the log, read in the same snapshot."`
	LagEvents   int64   `json:"lag_events" minimum:"0" doc:"Not folded yet."`
	LagSeconds  float64 `json:"lag_seconds" minimum:"0" doc:"Age of the oldest event not folded yet."`
	DeadLetters int64   `json:"dead_letters" minimum:"0" doc:"Events that could not be decoded or folded."`
	Waiting     int64   `json:"dead_letters_waiting" minimum:"0" doc:"Later events of the same tickets, which wait behind the dead letters."`
	Halted      *string `json:"halted" doc:"Why it stopped and needs a person; null: it runs."`

	Owner      *string    `json:"owner" doc:"The process that folds it: host, process id and a random part. Null: nobody does just now."`
	LeaseUntil *time.Time `json:"lease_until" doc:"Unless the owner renews its lease by then, another process takes the source over. Null: nobody folds it just now."`

	Drift []string `json:"drift" nullable:"false" enum:"code,settings" doc:"What it was folded with, wholly or in part, and differs from what this server folds with: another version (code), other settings of the source that its adapter reads (settings). Not empty for the serving generation: a rebuild is due."`
}

// generations is the answer of /v1/projections.
type generations struct {
	Generation int `json:"generation" minimum:"0" doc:"The one that answers are read from."`
	Folded[progress]
}

func (d *Door) registerProjections(h huma.API) {
	get(d, h, operation{
		id: "list-projections", path: "/v1/projections", tag: tagProjections,
		summary: "How far the read models are",
		details: "Per generation and source: what is still to fold and what could not be, who folds it, and whether another version or other settings folded it. " +
			"What a rebuild is at tells `/v1/projections/rebuild`.",
	}, d.listProjections)
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
		LagEvents: max(0, p.Tail-p.Position), LagSeconds: p.LagSeconds, DeadLetters: p.DeadLetters, Waiting: p.Waiting, Halted: optional(p.Halted),
		Owner: optional(p.Owner), LeaseUntil: at(p.LeaseUntil), Drift: append([]string{}, p.Drift...),
	}
}
