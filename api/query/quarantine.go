package query

import (
	"context"
	"encoding/hex"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
	"queuetrack/eventstore"
)

// Quarantined is one quarantined event on the wire, without its body: that holds what visitors told of themselves.
type Quarantined struct {
	Source     string     `json:"source" doc:"The configured source."`
	Position   int64      `json:"position" minimum:"1" doc:"In the source's log."`
	Ticket     *string    `json:"ticket" doc:"The vendor's id of the ticket; null: the webhook names none."`
	Type       string     `json:"type" doc:"The vendor's name of the event."`
	OccurredAt *time.Time `json:"occurred_at" doc:"By the vendor's clock; null: the webhook tells no time."`
	ReceivedAt *time.Time `json:"received_at" nullable:"false" doc:"By our clock."`
	Cause      string     `json:"cause" doc:"Why it can't be used."`
	Digest     string     `json:"digest" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the body, in hex."`
	VerifiedBy string     `json:"verified_by" doc:"The name of the secret that verified it."`
	RepeatOf   *int64     `json:"repeat_of" doc:"The quarantined position that it repeats; null: it came from the vendor."`
	RetriedAs  *int64     `json:"retried_as" doc:"The position that it was appended anew at; null: it was not retried yet."`
}

// QuarantinedOf puts a quarantined event on the wire.
func QuarantinedOf(h eventstore.Held) Quarantined {
	return Quarantined{
		Source: h.Source, Position: h.Position, Ticket: optional(h.Ticket), Type: h.Type,
		OccurredAt: at(h.OccurredAt), ReceivedAt: at(h.ReceivedAt), Cause: h.Quarantined,
		Digest: hex.EncodeToString(h.Digest[:]), VerifiedBy: h.VerifiedBy,
		RepeatOf: optional(h.RepeatOf), RetriedAs: optional(h.RetriedAs),
	}
}

type quarantineInput struct {
	Source string `query:"source" doc:"Only this source."`
	Paged
}

type heldInput struct {
	Source   string   `path:"source"`
	Position position `path:"position" doc:"In the source's log."`
}

// position is a parameter in the path; we parse it ourselves.
type position string

// Schema implements huma.SchemaProvider.
func (position) Schema(huma.Registry) *huma.Schema {
	one := 1.0
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &one}
}

// heldPath is one quarantined event.
const heldPath = "/v1/quarantine/{source}/{position}"

func (d *Door) registerQuarantine(h huma.API) {
	get(d, h, operation{
		id: "list-quarantine", path: "/v1/quarantine", tag: tagRepairs,
		summary: "Authentic deliveries that can't be used, with the cause",
		details: "They were answered 200, are in the log, and are not folded. Ordered by source and position; those that were retried say so.",
	}, d.listQuarantine)
	get(d, h, operation{
		id: "get-quarantined", path: heldPath, tag: tagRepairs, resource: true,
		summary: "One authentic delivery that can't be used, with the cause",
		details: "Its body is not shown: it may hold what a visitor told. `queuetrack quarantine show` prints it.",
		problems: map[string]string{
			"409": "The event is not quarantined.",
		},
	}, d.getQuarantined)
}

func (d *Door) listQuarantine(ctx context.Context, in *quarantineInput) (answer List[Quarantined], err error) {
	asked, from, err := d.fromPosition(ctx, in.Paged, in.Source)
	if err != nil {
		return answer, err
	}
	rows, err := d.log.Quarantine(ctx, from.source, from.afterSource, from.after, asked.limit+1)
	if err != nil {
		return answer, err
	}
	rows, answer.Next = trim(rows, asked, func(h eventstore.Held) []string { return []string{h.Source, decimal(h.Position)} })
	rows = slices.DeleteFunc(rows, func(h eventstore.Held) bool { return !d.known(h.Source) })
	answer.Items = convert(rows, QuarantinedOf)
	return answer, nil
}

func (d *Door) getQuarantined(ctx context.Context, in *heldInput) (answer Quarantined, err error) {
	position, err := d.heldPosition(in)
	if err != nil {
		return answer, err
	}
	held, err := d.log.Held(ctx, in.Source, position)
	switch {
	case errors.Is(err, eventstore.ErrNoEvent):
		return answer, unknownEvent(in.Source, position)
	case errors.Is(err, eventstore.ErrNotQuarantined):
		return answer, api.NewProblem(api.KindNotQuarantined, "Position "+decimal(position)+" of "+in.Source+" is not quarantined: it is folded like any other. GET /v1/quarantine?source="+in.Source+" lists those that are.")
	case err != nil:
		return answer, err
	}
	return QuarantinedOf(held), nil
}

// heldPosition reads the path of one event.
func (d *Door) heldPosition(in *heldInput) (int64, error) {
	n, err := strconv.ParseInt(string(in.Position), 10, 64)
	if err != nil || n < 1 {
		return 0, api.Invalid(api.FieldError{
			Pointer: "/path/position",
			Detail:  "position is " + quote(string(in.Position)) + "; it must be a whole number from 1 to " + decimal(math.MaxInt64) + ".",
		})
	}
	return n, d.requireSource(in.Source)
}

// retried is the answer to a retry.
type retried struct {
	Status   string `json:"status" enum:"accepted" doc:"It is in the log, and about to be folded."`
	Position int64  `json:"position" minimum:"1" doc:"Where it was appended anew."`
	RepeatOf int64  `json:"repeat_of" minimum:"1" doc:"The quarantined position."`
}

func (d *Door) registerRetry(h huma.API) {
	get(d, h, operation{
		method: http.MethodPost, id: "retry-quarantined", path: heldPath + "/retry", tag: tagRepairs, resource: true,
		summary: "Append a quarantined delivery anew",
		details: "For after the adapter or the configuration was mended, and for a replay that was genuine. The delivery is appended once, with " +
			"`repeat_of`, past deduplication, and folded like any other. It takes no body.",
		problems: withPostProblems(map[string]string{
			"409": "The event is not quarantined, was retried already (`detail` says as what), or still can't be used (and why). Nothing was appended.",
		}),
	}, d.retry)
}

func (d *Door) retry(ctx context.Context, in *heldInput) (answer retried, err error) {
	position, err := d.heldPosition(in)
	if err != nil {
		return answer, err
	}
	if err := noBody(ctx); err != nil {
		return answer, err
	}
	appended, err := d.cfg.Operator.Retry(ctx, in.Source, position)
	return retried{Status: string(eventstore.Accepted), Position: appended, RepeatOf: position}, err
}
