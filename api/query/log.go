package query

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"math"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
	"queuetrack/eventstore"
)

// event is one row of the log on the wire.
type event struct {
	Source      string     `json:"source" doc:"The configured source."`
	Position    int64      `json:"position" minimum:"1" doc:"In the source's log: 1, 2, 3 … without holes."`
	Ticket      *string    `json:"ticket" doc:"Null: about no ticket."`
	Type        string     `json:"type" doc:"The vendor's name of the event."`
	OccurredAt  *time.Time `json:"occurred_at" doc:"By the vendor's clock; null: the webhook tells no time."`
	ReceivedAt  *time.Time `json:"received_at" nullable:"false" doc:"By our clock."`
	Digest      string     `json:"digest" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the body, in hex."`
	VerifiedBy  string     `json:"verified_by" doc:"The name of the secret that verified it; queuetrack for our own events." example:"env:QMINDER_SECRET"`
	Quarantined *string    `json:"quarantined" doc:"Why it can't be used; null: it can."`
	RepeatOf    *int64     `json:"repeat_of" doc:"The quarantined position whose body this is; null: it came from the vendor."`
	Body        *string    `json:"body,omitempty" encoding:"base64" doc:"With bodies=true: what was received, byte for byte, in base64."`
}

// sourceStats is one source's log in numbers, on the wire.
type sourceStats struct {
	Source         string           `json:"source" doc:"The configured source."`
	Kind           string           `json:"kind" doc:"The vendor: qminder, ombori or superoffice." example:"qminder"`
	Timezone       string           `json:"timezone" example:"Europe/Tallinn" doc:"Of its days and hours, by its configuration."`
	Events         int64            `json:"events" minimum:"0" doc:"In the log."`
	Tail           int64            `json:"tail" minimum:"0" doc:"Position of the last event; positions have no holes."`
	LastReceivedAt *time.Time       `json:"last_received_at" doc:"When the vendor's last webhook came; null: none did."`
	Duplicates     int64            `json:"duplicates" minimum:"0" doc:"Deliveries that were known already."`
	Quarantined    int64            `json:"quarantined" minimum:"0" doc:"Authentic deliveries that can't be used."`
	Silent         bool             `json:"silent" doc:"No webhook for longer than the configuration's silent_after."`
	Rejected       map[string]int64 `json:"rejected" doc:"Refused requests by cause."`
	VerifiedBy     map[string]int64 `json:"verified_by" doc:"Verified deliveries by the name of the secret."`
}

type eventsInput struct {
	Source string  `query:"source" required:"true" doc:"The source whose log is read; each has its own positions."`
	After  integer `query:"after" doc:"Only events after this position; absent: from the first one."`
	Bodies string  `query:"bodies" enum:"false,true" doc:"With what was received, byte for byte: it may hold names and phone numbers, so it wants the scope admin. A page then ends before its bodies exceed 16 MiB."`
	Paged
}

func (d *Door) registerLog(h huma.API) {
	get(d, h, operation{
		id: "list-events", path: "/v1/events", tag: tagLog,
		summary: "The log of a source, in order, after a position",
		details: "To follow the log, go on with after = the last position seen. Bodies are shown with `bodies=true`, to those with the scope admin.",
	}, d.listEvents)
	get(d, h, operation{
		id: "list-sources", path: "/v1/sources", tag: tagLog,
		summary: "Every source with its log in numbers",
		details: "Counters are of all processes together, and at most a second behind.",
	}, d.listSourceStats)
}

func (d *Door) listEvents(ctx context.Context, in *eventsInput) (answer List[event], err error) {
	var p parser
	asked := p.page(ctx, in.Paged, 1)
	if in.Source == "" {
		p.wrong("source", "source is required: each source has its own log. The configured ones are %s.", d.listSources())
	}
	source := d.source(&p, in.Source)
	after := p.afterPosition(asked, p.integer("after", string(in.After), 0, 0, math.MaxInt64))
	bodies := oneOf(&p, "bodies", in.Bodies, "false", []string{"false", "true"}) == "true"
	if err := p.err(); err != nil {
		return answer, err
	}
	if bodies {
		return d.listBodies(ctx, source, after, asked)
	}
	rows, err := d.log.List(ctx, source, after, asked.limit+1)
	if err != nil {
		return answer, err
	}
	rows, answer.Next = trim(rows, asked, eventKey)
	answer.Items = convert(rows, eventOf)
	return answer, nil
}

// listBodies is listEvents with what was received: it may hold what a visitor told, so reading alone is not enough.
func (d *Door) listBodies(ctx context.Context, source string, after int64, asked page) (answer List[event], err error) {
	if !api.CallerOf(ctx).May(api.ScopeAdmin) {
		return answer, api.Forbidden(api.ScopeAdmin)
	}
	rows, err := d.log.ListBodies(ctx, source, after, asked.limit+1)
	if err != nil {
		return answer, err
	}
	short := len(rows) > 0 && len(rows) <= asked.limit // by its bytes, or the log's end
	rows, answer.Next = trim(rows, asked, eventKey)
	if short {
		last := rows[len(rows)-1]
		tail, err := d.log.Tail(ctx, source)
		if err != nil {
			return answer, err
		}
		if last.Position < tail {
			answer.Next = asked.next(eventKey(last)...)
		}
	}
	answer.Items = convert(rows, func(e eventstore.Event) event {
		item, body := eventOf(e), base64.StdEncoding.EncodeToString(e.Body)
		item.Body = &body
		return item
	})
	return answer, nil
}

// eventKey is an event's place in a source's log.
func eventKey(e eventstore.Event) []string { return []string{decimal(e.Position)} }

func eventOf(e eventstore.Event) event {
	return event{
		Source: e.Source, Position: e.Position, Ticket: optional(e.Ticket), Type: e.Type,
		OccurredAt: at(e.OccurredAt), ReceivedAt: at(e.ReceivedAt), Digest: hex.EncodeToString(e.Digest[:]),
		VerifiedBy: e.VerifiedBy, Quarantined: optional(e.Quarantined), RepeatOf: optional(e.RepeatOf),
	}
}

func (d *Door) listSourceStats(ctx context.Context, _ *struct{}) (answer List[sourceStats], err error) {
	stats, err := d.log.Stats(ctx, d.names)
	if err != nil {
		return answer, err
	}
	now := d.cfg.Now()
	answer.Items = convert(stats, func(s eventstore.Stats) sourceStats { return sourceStatsOf(s, d.sources[s.Source], now) })
	return answer, nil
}

func sourceStatsOf(s eventstore.Stats, configured SourceInfo, now time.Time) sourceStats {
	return sourceStats{
		Source: s.Source, Kind: configured.Kind, Timezone: configured.Zone.String(),
		Events: s.Tail, Tail: s.Tail, LastReceivedAt: at(s.LastReceivedAt),
		Duplicates: s.Duplicates, Quarantined: s.Quarantined,
		Silent:   api.Silent(s.LastReceivedAt, now, configured.SilentAfter),
		Rejected: counted(s.Rejected), VerifiedBy: counted(s.VerifiedBy),
	}
}

// counted is never null.
func counted(m map[string]int64) map[string]int64 {
	if m == nil {
		return map[string]int64{}
	}
	return m
}
