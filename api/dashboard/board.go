package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"queuetrack/api"
)

const (
	// boardRows is how many of those being served fit on a wall: the latest called.
	boardRows = 6
	// oneMoment is how close to the latest call others are told with it: whoever listens hears of each.
	oneMoment = 3 * time.Second
)

// boardPage is the public board of a source, or of one of its queues. It shows labels and desks: nothing about who the
// visitors are.
type boardPage struct {
	Title  string
	Latest *boardCall  // the last one called
	Also   []boardCall // called in the same moment
	Calls  []boardCall
	More   int // being served, and not shown
	Queues []boardQueue
}

// boardCall is a ticket that was called: where it shall go.
type boardCall struct {
	Label, Desk, Queue string
	At                 time.Time
	Calls              int64

	ticket string // the vendor's id, which is nobody's business
}

// Name tells this call from the ones before it, by what the board shows anyway. The time is not in it: vendors correct that,
// and nobody was called anew.
func (c boardCall) Name() string { return fmt.Sprintf("%s %s %d", c.Queue, c.Label, c.Calls) }

// Numbered reports whether the desk has only a number, which then needs a word before it.
func (c boardCall) Numbered() bool { return strings.Trim(c.Desk, "0123456789") == "" }

// Words are what is told to those who listen.
func (c boardCall) Words() string {
	switch {
	case c.Desk == "":
		return c.Label + ", please come to the desk, " + c.Queue
	case c.Numbered():
		return c.Label + ", please come to desk " + c.Desk + ", " + c.Queue
	}
	return c.Label + ", please come to " + c.Desk + ", " + c.Queue
}

// boardQueue is a queue on the board.
type boardQueue struct {
	ID, Name string
	Waiting  int64
	Next     string // how long who comes now will wait; empty: can't be told
}

// nextText says when somebody who comes now will be called.
func nextText(e *estimate) string {
	text := estimateText(e)
	switch {
	case text == "":
		return ""
	case strings.HasPrefix(text, "under"):
		return "next in " + text
	case strings.HasPrefix(text, "about"):
		return "next " + text
	}
	return "next about " + text
}

func (d *Dashboard) board(ctx context.Context, in input, ask *rest) (view, error) {
	source, only := in.path["source"], in.query.Get("queue")
	query := url.Values{"source": {source}}
	var queues list[queueState]
	if err := ask.get(ctx, address(query, "v1", "queues"), 0, &queues); err != nil {
		if isProblem(err, api.KindInvalidRequest) {
			return view{}, api.NewProblem(api.KindUnknownSource, "There is no board at this address: the source is not configured.")
		}
		return view{}, err
	}
	shown := slices.DeleteFunc(queues.Items, func(q queueState) bool { return q.Queue == "" || only != "" && q.Queue != only })
	if only != "" && len(shown) == 0 {
		return view{}, api.NewProblem(api.KindUnknownQueue, "There is no board at this address: nobody has ever been in this queue.")
	}
	p := boardPage{Title: boardTitle(source, only, shown)}
	for _, q := range shown {
		p.Queues = append(p.Queues, boardQueue{ID: "queue-" + q.Queue, Name: q.Name, Waiting: q.Waiting, Next: nextText(q.Estimate)})
		if q.Called+q.Serving == 0 {
			continue
		}
		// Of those who wait, who may be thousands, it shows no more than how many: so it asks for the others alone.
		for _, status := range []string{"called", "serving"} {
			if err := p.addCalls(ctx, ask, q, status); err != nil {
				return view{}, err
			}
		}
	}
	slices.SortFunc(p.Calls, func(a, b boardCall) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ticket, b.ticket))
	})
	if len(p.Calls) > 0 {
		p.Latest = &p.Calls[0]
		others := p.Calls[1:]
		last := slices.IndexFunc(others, func(c boardCall) bool { return p.Latest.At.Sub(c.At) > oneMoment })
		if last < 0 {
			last = len(others)
		}
		p.Also = others[:last]
	}
	if p.More = len(p.Calls) - boardRows; p.More > 0 {
		p.Calls = p.Calls[:boardRows]
	}
	return view{Title: p.Title, Template: "board", Data: p}, nil
}

// addCalls adds those of a queue who are called, or served: each once, also who has come to the desk between two questions.
func (p *boardPage) addCalls(ctx context.Context, ask *rest, q queueState, status string) error {
	var tickets list[openTicket]
	if err := ask.get(ctx, address(url.Values{"status": {status}}, "v1", "queues", q.Source, q.Queue, "tickets"), 0, &tickets); err != nil {
		return err
	}
	for _, t := range tickets.Items {
		if slices.ContainsFunc(p.Calls, func(c boardCall) bool { return c.ticket == t.Ticket }) {
			continue
		}
		// Where the vendor gives out no labels, its number is what visitors know their ticket by.
		c := boardCall{ticket: t.Ticket, Label: cmp.Or(t.Label, t.Ticket), Queue: q.Name, Calls: t.Calls}
		if t.Desk != nil {
			c.Desk = *t.Desk
		}
		if at := cmp.Or(t.LastCalledAt, t.ServingSince); at != nil {
			c.At = *at
		}
		p.Calls = append(p.Calls, c)
	}
	return nil
}

// boardTitle is where the board hangs: the one queue, else the one location, else the source.
func boardTitle(source, only string, queues []queueState) string {
	if only != "" && len(queues) > 0 {
		return queues[0].Name
	}
	title := ""
	for _, q := range queues {
		if q.Location == nil || title != "" && title != *q.Location {
			return source
		}
		title = *q.Location
	}
	return cmp.Or(title, source)
}

// manyQueues is from where on they are written smaller, so that a wall holds them all.
const manyQueues = 5

// Many reports whether there are so many queues.
func (p boardPage) Many() bool { return len(p.Queues) > manyQueues }

// MoreText says how many are not shown.
func (p boardPage) MoreText() string {
	if p.More <= 0 {
		return ""
	}
	return "and " + strconv.Itoa(p.More) + " more"
}
