package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"queuetrack/api"
)

// Bounds of a search.
const (
	findLength = 200 // of what is searched for, in bytes; more than labels have
	findLimit  = 1000
	findPages  = 3 // of a source's tickets of today
)

// findPage is what was found of a ticket, and where it was looked for.
type findPage struct {
	Asked    string
	Hits     []hit
	Searched []searched
	Problem  string
}

// hit is a ticket that goes by what was asked for.
type hit struct {
	openTicket
	Created moment
}

// searched is how far a source's labels were looked through.
type searched struct {
	Source string
	Labels int
	More   bool // older ones of today were not looked at
	Zone   string
}

// find leads to the one ticket that is meant, by the vendor's id or by a label of today; else it shows what there is.
func (d *Dashboard) find(w http.ResponseWriter, r *http.Request) {
	in, err := inputOf(r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	p := findPage{Asked: strings.TrimSpace(in.query.Get("ticket"))}
	if p.Problem = unaskable(p.Asked); p.Problem == "" {
		err = p.search(r.Context(), d.asker(), d.cfg.Now())
	} else if p.Asked != "" {
		p.Asked = ""
	}
	switch {
	case err != nil:
		d.fail(w, r, err)
	case len(p.Hits) == 1:
		http.Redirect(w, r, address(nil, "tickets", p.Hits[0].Source, p.Hits[0].Ticket), http.StatusSeeOther)
	default:
		d.write(w, r, page{layout: "page"}, view{Title: "Find a ticket", Template: "find", Data: p})
	}
}

// unaskable says what no ticket can go by.
func unaskable(text string) string {
	switch {
	case text == "":
		return "Give a label as on the screen, or the vendor's id."
	case len(text) > findLength:
		return fmt.Sprintf("That is longer than %d bytes; no label is.", findLength)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return "That is no text."
	}
	return ""
}

func (p *findPage) search(ctx context.Context, ask *rest, now time.Time) error {
	sources, err := sourcesOf(ctx, ask)
	if err != nil {
		return err
	}
	for _, s := range sources {
		var exact ticketState
		err := ask.get(ctx, address(nil, "v1", "tickets", s.Source, p.Asked), 0, &exact)
		switch {
		case err == nil:
			p.add(exact.openTicket, times{now, s.zone()})
		case !isProblem(err, api.KindUnknownTicket):
			return err
		}
		if err := p.searchLabels(ctx, ask, s, now); err != nil {
			return err
		}
	}
	return nil
}

// searchLabels looks through a source's tickets of today, the newest first.
func (p *findPage) searchLabels(ctx context.Context, ask *rest, s sourceState, now time.Time) error {
	local := now.In(s.zone())
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, s.zone())
	query := url.Values{"source": {s.Source}, "created_from": {midnight.UTC().Format(time.RFC3339)}, "limit": {strconv.Itoa(findLimit)}}
	seen := searched{Source: s.Source, Zone: s.zone().String()}
	for range findPages {
		var tickets list[openTicket]
		if err := ask.get(ctx, address(query, "v1", "tickets"), 0, &tickets); err != nil {
			return err
		}
		for _, t := range tickets.Items {
			if strings.EqualFold(t.Label, p.Asked) {
				p.add(t, times{now, s.zone()})
			}
		}
		seen.Labels += len(tickets.Items)
		if seen.More = tickets.Next != ""; !seen.More {
			break
		}
		query.Set("cursor", tickets.Next)
	}
	p.Searched = append(p.Searched, seen)
	return nil
}

// add adds a ticket once.
func (p *findPage) add(t openTicket, clocks times) {
	for _, h := range p.Hits {
		if h.Source == t.Source && h.Ticket == t.Ticket {
			return
		}
	}
	p.Hits = append(p.Hits, hit{t, clocks.Of(t.CreatedAt)})
}
