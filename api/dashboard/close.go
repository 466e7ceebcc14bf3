package dashboard

import (
	"context"
	"net/url"
	"strconv"

	"queuetrack/api"
)

// closePage asks for the reason to end a ticket.
type closePage struct {
	ticketState
	Reason  string
	Problem *api.Problem
}

// StatusText is how the ticket stands, in words.
func (p closePage) StatusText() string { return statusText(p.ticketState) }

// closeAsk is the page with the form. A ticket that has ended needs none.
func (d *Dashboard) closeAsk(ctx context.Context, in input, ask *rest) (view, error) {
	p, err := closePageOf(ctx, in, ask)
	if err == nil && !p.Open() {
		err = api.NewProblem(api.KindTicketEnded, "There is nothing left to do: it is "+p.StatusText()+".")
	}
	return p.view(), err
}

func closePageOf(ctx context.Context, in input, ask *rest) (p closePage, err error) {
	err = ask.get(ctx, address(nil, "v1", "tickets", in.path["source"], in.path["ticket"]), 0, &p.ticketState)
	return p, err
}

func (p closePage) view() view {
	return view{Title: "End ticket " + p.Shown(), Template: "close", Data: p}
}

// closeForm ends a ticket.
func closeForm() form {
	return form{do: closeTicket, again: func(ctx context.Context, in input, sent url.Values, ask *rest, problem *api.Problem) (view, error) {
		p, err := closePageOf(ctx, in, ask)
		if err == nil && !p.Open() {
			err = problem // no form helps
		}
		p.Reason, p.Problem = sent.Get("reason"), problem
		return p.view(), err
	}}
}

func closeTicket(ctx context.Context, in input, sent url.Values, ask *rest) (string, error) {
	source, ticket := in.path["source"], in.path["ticket"]
	shown := address(nil, "tickets", source, ticket)
	var closed struct {
		Position int64 `json:"position"`
	}
	body := map[string]string{"reason": sent.Get("reason")}
	if err := ask.post(ctx, address(nil, "v1", "tickets", source, ticket, "close"), body, &closed); err != nil {
		return shown, err
	}
	// Whoever has just ended it is to see it ended. If it isn't folded in time, the page will show it soon.
	least := url.Values{"min_position": {source + ":" + strconv.FormatInt(closed.Position, 10)}}
	var seen ticketState
	_ = ask.get(ctx, address(least, "v1", "tickets", source, ticket), 0, &seen)
	return done(shown, "closed"), nil
}
