package query

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
	"queuetrack/eventstore"
	"queuetrack/projection"
)

// DeadLetter is one on the wire.
type DeadLetter struct {
	Source   string  `json:"source" doc:"The configured source."`
	Position int64   `json:"position" minimum:"1" doc:"In the source's log."`
	Ticket   *string `json:"ticket" doc:"The vendor's id of the ticket; null: the event names none."`
	Cause    string  `json:"cause" doc:"Why it could not be decoded or folded."`
	Waiting  int64   `json:"waiting" minimum:"0" doc:"Later events of the ticket that wait behind it."`
}

// DeadLetterOf puts a dead letter on the wire.
func DeadLetterOf(l projection.DeadLetter) DeadLetter {
	return DeadLetter{Source: l.Source, Position: l.Position, Ticket: optional(l.Ticket), Cause: l.Cause, Waiting: l.Waiting}
}

// WaitingShown is how many of the events that wait behind a dead letter are shown with it.
const WaitingShown = 20

// shownLetter is one with what the log says of the event.
type shownLetter struct {
	DeadLetter
	Behind     []int64          `json:"behind" nullable:"false" doc:"The first 20 positions of those that wait behind it."`
	Type       string           `json:"type" doc:"The vendor's name of the event."`
	OccurredAt *time.Time       `json:"occurred_at" doc:"By the vendor's clock; null: the webhook tells no time."`
	ReceivedAt *time.Time       `json:"received_at" nullable:"false" doc:"By our clock."`
	Digest     string           `json:"digest" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the body, in hex."`
	VerifiedBy string           `json:"verified_by" doc:"The name of the secret that verified it."`
	Positions  map[string]int64 `json:"positions" doc:"How far each source's log was folded."`
}

type deadLettersInput struct {
	Source string `query:"source" doc:"Only this source."`
	Paged
}

// deadLetterPath is one dead letter.
const deadLetterPath = "/v1/dead-letters/{source}/{position}"

func (d *Door) registerDeadLetters(h huma.API) {
	get(d, h, operation{
		id: "list-dead-letters", path: "/v1/dead-letters", tag: tagRepairs,
		summary: "Events that could not be decoded or folded, with the cause",
		details: "Of the generation that answers are read from. An event here holds up its own ticket only, whose later events wait behind it.",
	}, d.listDeadLetters)
	get(d, h, operation{
		id: "get-dead-letter", path: deadLetterPath, tag: tagRepairs, resource: true,
		summary: "One event that could not be decoded or folded, with the cause",
		details: "Its body is not shown: it may hold what a visitor told. `queuetrack dead-letters show --body` prints it.",
		problems: map[string]string{
			"409": "The event is no dead letter: it is folded, or waits behind one (`detail` names it), or was dismissed.",
		},
	}, d.getDeadLetter)
}

func (d *Door) listDeadLetters(ctx context.Context, in *deadLettersInput) (answer Folded[DeadLetter], err error) {
	asked, from, err := d.fromPosition(ctx, in.Paged, in.Source)
	if err != nil {
		return answer, err
	}
	if answer.Positions, err = d.positionsNow(ctx); err != nil {
		return answer, err
	}
	rows, err := d.reader.DeadLetters(ctx, from.source, from.afterSource, from.after, asked.limit+1)
	if err != nil {
		return answer, err
	}
	rows, answer.Next = trim(rows, asked, func(l projection.DeadLetter) []string { return []string{l.Source, decimal(l.Position)} })
	rows = slices.DeleteFunc(rows, func(l projection.DeadLetter) bool { return !d.known(l.Source) })
	answer.Items = convert(rows, DeadLetterOf)
	return answer, nil
}

// positionsNow is read before what it goes with: an answer may know more than it says, never less.
func (d *Door) positionsNow(ctx context.Context) (at map[string]int64, err error) {
	err = d.view(ctx, func(v *projection.View) error {
		at = d.positions(v)
		return nil
	})
	return at, err
}

func (d *Door) getDeadLetter(ctx context.Context, in *heldInput) (answer shownLetter, err error) {
	position, err := d.heldPosition(in)
	if err != nil {
		return answer, err
	}
	if answer.Positions, err = d.positionsNow(ctx); err != nil {
		return answer, err
	}
	letter, behind, err := d.reader.DeadLetter(ctx, in.Source, position, WaitingShown)
	if err != nil {
		return answer, d.noDeadLetter(ctx, in.Source, position, err)
	}
	e, err := d.event(ctx, in.Source, position)
	if err != nil {
		return answer, err
	}
	answer.DeadLetter, answer.Behind, answer.Type = DeadLetterOf(letter), append([]int64{}, behind...), e.Type
	answer.OccurredAt, answer.ReceivedAt = at(e.OccurredAt), at(e.ReceivedAt)
	answer.Digest, answer.VerifiedBy = hex.EncodeToString(e.Digest[:]), e.VerifiedBy
	return answer, nil
}

// event reads one event of the log, without its body.
func (d *Door) event(ctx context.Context, source string, position int64) (eventstore.Event, error) {
	events, err := d.log.List(ctx, source, position-1, 1)
	if err != nil {
		return eventstore.Event{}, err
	}
	if len(events) == 0 || events[0].Position != position {
		return eventstore.Event{}, unknownEvent(source, position)
	}
	return events[0], nil
}

func unknownEvent(source string, position int64) error {
	return api.NewProblem(api.KindUnknownEvent, "The log of "+source+" has no position "+decimal(position)+". Positions run from 1 to the tail that GET /v1/sources tells; "+
		"GET /v1/events?source="+source+" lists the events.")
}

// noDeadLetter is the answer for a position that is no dead letter, or one that can't be helped.
func (d *Door) noDeadLetter(ctx context.Context, source string, position int64, err error) error {
	name := "Position " + decimal(position) + " of " + source
	var dead *projection.StillDeadError
	var waits *projection.WaitsBehindError
	var notNow *projection.NotNowError
	switch {
	case errors.Is(err, projection.ErrNotDead):
		if _, err := d.event(ctx, source, position); err != nil {
			return err
		}
		return api.NewProblem(api.KindNotDeadLetter, name+" is no dead letter: it is folded, or about to be. GET /v1/dead-letters?source="+source+" lists those that can't be.")
	case errors.Is(err, projection.ErrDismissed):
		return api.NewProblem(api.KindDismissed, name+" was dismissed. That is final: no fold takes it any more.")
	case errors.As(err, &waits):
		return api.NewProblem(api.KindWaitsBehind, name+" waits behind the dead letter at position "+decimal(waits.Front)+": that is the one to look at, and to retry or dismiss.")
	case errors.As(err, &dead):
		return api.NewProblem(api.KindStillUnusable, name+" still can't be folded: "+dead.Cause+". Mend the adapter or the configuration and retry it, or go on without it: POST /v1/dead-letters/"+source+"/"+decimal(position)+"/dismiss.")
	case errors.As(err, &notNow):
		return api.NewProblem(api.KindNotNow, name+" stays as it is for now: "+notNow.Reason+".")
	}
	return err
}

// revived is the answer to a retry or a dismissal.
type revived struct {
	Status string          `json:"status" enum:"retried,dismissed,already_dismissed" doc:"What was done; already_dismissed: nothing, since it was before."`
	Folded int64           `json:"folded" minimum:"0" doc:"Events folded: the dead letter, unless it was dismissed, and what waited behind it."`
	Stands maybeStandstill `json:"stands"`
}

// standstill is what a ticket stands at, on the wire.
type standstill struct {
	Position int64  `json:"position" minimum:"1" doc:"Of the event, in the source's log."`
	Cause    string `json:"cause" doc:"Why it can't be folded."`
}

// maybeStandstill is null for a ticket that goes on.
type maybeStandstill struct{ *standstill }

// MarshalJSON implements json.Marshaler.
func (m maybeStandstill) MarshalJSON() ([]byte, error) { return marshal(m.standstill) }

// Schema implements huma.SchemaProvider.
func (maybeStandstill) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "What the ticket stands at now: one of those that waited, which can't be folded either, or was not tried yet for lack of time (retry it). Null: the ticket goes on.",
		AnyOf:       []*huma.Schema{r.Schema(typeOf[standstill](), true, "Standstill"), {Type: "null"}},
	}
}

func revivedOf(status string, r projection.Retried) revived {
	answer := revived{Status: status, Folded: r.Folded}
	if r.Stands != 0 {
		answer.Stands = maybeStandstill{&standstill{Position: r.Stands, Cause: r.Cause}}
	}
	return answer
}

func (d *Door) registerRevivals(h huma.API) {
	get(d, h, operation{
		method: http.MethodPost, id: "retry-dead-letter", path: deadLetterPath + "/retry", tag: tagRepairs, resource: true,
		summary: "Fold a dead letter, and what waits behind it",
		details: "For after the adapter or the configuration was mended. The rows become those of an event that was folded in its place. It takes no body.",
		problems: withPostProblems(map[string]string{
			"409": "The event still can't be folded (`detail` says why), is no dead letter, waits behind one (`detail` names it), was dismissed, or can't be retried now. Nothing was folded.",
		}),
	}, d.retryDeadLetter)
	get(d, h, operation{
		method: http.MethodPost, id: "dismiss-dead-letter", path: deadLetterPath + "/dismiss", tag: tagRepairs, resource: true,
		summary: "Never fold a dead letter, and go on behind it",
		details: "Final: the log keeps the event, and no rebuild folds it either. What waits behind it is folded. It takes no body.",
		problems: withPostProblems(map[string]string{
			"409": "The event is no dead letter, waits behind one (`detail` names it), or can't be dismissed now: a rebuild or a rollback is under way. Nothing was done.",
		}),
	}, d.dismissDeadLetter)
}

func (d *Door) retryDeadLetter(ctx context.Context, in *heldInput) (answer revived, err error) {
	done, err := d.revive(ctx, in, d.cfg.Operator.RetryDeadLetter)
	return revivedOf("retried", done), err
}

func (d *Door) dismissDeadLetter(ctx context.Context, in *heldInput) (answer revived, err error) {
	done, err := d.revive(ctx, in, d.cfg.Operator.DismissDeadLetter)
	if done.Already {
		return revivedOf("already_dismissed", done), err
	}
	return revivedOf("dismissed", done), err
}

// revive has the operator do it.
func (d *Door) revive(ctx context.Context, in *heldInput, do func(context.Context, string, int64) (projection.Retried, error)) (projection.Retried, error) {
	position, err := d.heldPosition(in)
	if err != nil {
		return projection.Retried{}, err
	}
	if err := noBody(ctx); err != nil {
		return projection.Retried{}, err
	}
	done, err := do(ctx, in.Source, position)
	if err != nil {
		err = d.noDeadLetter(ctx, in.Source, position, err)
	}
	return done, err
}
