package dashboard

import (
	"context"
	"net/url"
	"slices"
	"strconv"
)

// historyRows bounds the events that a ticket's page shows.
const historyRows = 1000

// ticketPage is one ticket: what it is now, and how that is known.
type ticketPage struct {
	ticketState
	Notice      string
	Times       times
	Queues      queueNames
	Place       *int64 // its turn, while it waits
	Left        string // what it has still to wait; empty: can't be told
	Assumptions []assumption
	Stays       []stay
	Events      []ticketEvent
	MoreEvents  bool
}

// StatusText is how it stands, in words.
func (p ticketPage) StatusText() string { return statusText(p.ticketState) }

// QueueName is what the queue it is in is called.
func (p ticketPage) QueueName() string { return p.Queues.of(p.Queue) }

// queueNames are what the queues of a source are called, by their ids.
type queueNames map[string]string

func (n queueNames) of(queue string) string {
	if name, known := n[queue]; known && name != "" {
		return name
	}
	return queue
}

// stay is a segment of a ticket's life: the time in one queue.
type stay struct {
	segmentWire
	QueueName             string
	Entered, Called, Left moment
	Doubts                []string
}

// ticketEvent is an event in a ticket's history.
type ticketEvent struct {
	historyWire
	Source             string
	Occurred, Received moment
	Text               string // what was made of it
	Told               []told
}

// Address is that of the event in the log.
func (e ticketEvent) Address() string { return eventAddress(e.Source, e.Position) }

// RepeatAddress is that of the event it repeats.
func (e ticketEvent) RepeatAddress() string { return eventAddress(e.Source, *e.RepeatOf) }

// eventAddress is where REST shows one event of a log.
func eventAddress(source string, position int64) string {
	return address(url.Values{"source": {source}, "after": {strconv.FormatInt(position-1, 10)}, "limit": {"1"}}, "v1", "events")
}

func (d *Dashboard) ticketPage(ctx context.Context, in input, ask *rest) (view, error) {
	source, ticket := in.path["source"], in.path["ticket"]
	p := ticketPage{Notice: noticeOf(in.query)}
	if err := ask.get(ctx, address(nil, "v1", "tickets", source, ticket), 0, &p.ticketState); err != nil {
		return view{}, err
	}
	var err error
	if p.Times, err = d.timesOf(ctx, ask, source); err != nil {
		return view{}, err
	}
	if p.Queues, err = queueNamesOf(ctx, ask, source); err != nil {
		return view{}, err
	}
	p.addStays()
	if err := p.addTurn(ctx, ask); err != nil {
		return view{}, err
	}
	if err := p.addEvents(ctx, ask); err != nil {
		return view{}, err
	}
	return view{Title: "Ticket " + p.Shown(), Template: "ticket", Data: p}, nil
}

func queueNamesOf(ctx context.Context, ask *rest, source string) (queueNames, error) {
	var queues list[queueState]
	if err := ask.get(ctx, address(url.Values{"source": {source}}, "v1", "queues"), namesAge, &queues); err != nil {
		return nil, err
	}
	names := queueNames{}
	for _, q := range queues.Items {
		names[q.Queue] = q.Name
	}
	return names, nil
}

// addStays adds the segments, and explains every flag of them and of the ticket once.
func (p *ticketPage) addStays() {
	flags := slices.Clone(p.Flags)
	for _, s := range p.Segments {
		row := stay{
			segmentWire: s, QueueName: p.Queues.of(s.Queue),
			Entered: p.Times.Full(s.EnteredAt), Called: p.Times.Full(s.CalledAt), Left: p.Times.Full(s.LeftAt),
		}
		for _, f := range s.Flags {
			row.Doubts = append(row.Doubts, spaced(f))
		}
		flags = append(flags, s.Flags...)
		p.Stays = append(p.Stays, row)
	}
	slices.Sort(flags)
	for _, f := range slices.Compact(flags) {
		p.Assumptions = append(p.Assumptions, assumptionOf(f))
	}
}

// addTurn adds when it will be its turn, if it waits for one: its queue knows.
func (p *ticketPage) addTurn(ctx context.Context, ask *rest) error {
	if p.Status != "waiting" || p.Queue == "" {
		return nil
	}
	var tickets list[openTicket]
	if err := ask.get(ctx, address(url.Values{"status": {"waiting"}}, "v1", "queues", p.Source, p.Queue, "tickets"), 0, &tickets); err != nil {
		return err
	}
	for _, t := range tickets.Items {
		if t.Ticket == p.Ticket {
			p.Place, p.Left = t.Place, estimateText(t.Estimate)
		}
	}
	return nil
}

// addEvents adds what was told of the ticket.
func (p *ticketPage) addEvents(ctx context.Context, ask *rest) error {
	var history list[historyWire]
	at := address(url.Values{"limit": {strconv.Itoa(historyRows)}}, "v1", "tickets", p.Source, p.Ticket, "history")
	if err := ask.get(ctx, at, 0, &history); err != nil {
		return err
	}
	p.MoreEvents = history.Next != ""
	for _, e := range history.Items {
		p.Events = append(p.Events, ticketEvent{
			historyWire: e, Source: p.Source, Occurred: p.Times.Full(e.OccurredAt), Received: p.Times.Full(e.ReceivedAt),
			Text: transitionsText(e.Transitions), Told: toldBy(e.Detail),
		})
	}
	return nil
}
