package query

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
	"queuetrack/projection"
)

// maxReason is how long the reason of a close may be, in bytes.
const maxReason = 500

// closing is what a close may say.
type closing struct {
	Reason string `json:"reason"`
}

// closed is the answer to a close.
type closed struct {
	Status   string `json:"status" enum:"closed" doc:"It has ended, as expired."`
	Position int64  `json:"position" minimum:"1" doc:"Of the event in the source's log that ends the ticket."`
}

type closeInput struct {
	Source string `path:"source"`
	Ticket string `path:"ticket" doc:"The vendor's id."`
}

func (d *Door) registerClose(h huma.API) {
	most := maxReason
	body := record(nil)
	body.AdditionalProperties = false
	body.Properties["reason"] = &huma.Schema{Type: huma.TypeString, MaxLength: &most, Description: "For the ticket's history; at most 500 bytes. Absent: none.", Examples: []any{"went home"}}
	get(d, h, operation{
		method: http.MethodPost, id: "close-ticket", path: "/v1/tickets/{source}/{ticket}/close", tag: tagTickets, resource: true,
		summary: "End an open ticket as expired",
		details: "For a ticket that a lost webhook left open. Appends an event of queuetrack's own to the source's log; should the vendor tell of the ticket later, the ticket goes on by that.",
		body:    &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: body}}},
		problems: withPostProblems(map[string]string{
			"409": "The ticket has ended already.",
		}),
	}, d.closeTicket)
}

func (d *Door) closeTicket(ctx context.Context, in *closeInput) (answer closed, err error) {
	if err := d.requireSource(in.Source); err != nil {
		return answer, err
	}
	var asked closing
	if err := decodeBody(ctx, &asked, `{"reason":"went home"}`); err != nil {
		return answer, err
	}
	switch {
	case len(asked.Reason) > maxReason:
		return answer, wrongBody("/reason", fmt.Sprintf("reason has %d bytes; at most %d are kept.", len(asked.Reason), maxReason))
	case !text(asked.Reason):
		return answer, wrongBody("/reason", "reason is not text: it has a NUL. Send plain words.")
	}
	position, err := d.cfg.Operator.CloseTicket(ctx, in.Source, in.Ticket, asked.Reason)
	if errors.Is(err, projection.ErrNotOpen) {
		err = d.notOpen(ctx, in.Source, in.Ticket)
	}
	return closed{Status: "closed", Position: position}, err
}

// notOpen says why a ticket can't be closed.
func (d *Door) notOpen(ctx context.Context, source, id string) error {
	return d.view(ctx, func(v *projection.View) error {
		t, err := findTicket(ctx, v, source, id)
		if err != nil {
			return err
		}
		return api.NewProblem(api.KindTicketEnded, "Ticket "+quote(id)+" of "+source+" is not open: its status is "+string(t.Status)+". Only an open ticket can be closed; nothing was done.")
	})
}
