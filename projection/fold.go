package projection

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// folding goes through events of one source in the log's order: decode, fold, and what came of it. It holds the tickets
// that these events are about and nothing else, and knows no database: the runner folds a page with it, Verify a batch
// of tickets.
type folding struct {
	adapter source.Source
	tickets map[string]ticket.Ticket // as folded so far
	dead    map[string]int64         // tickets that stand still, and the position of their dead letter

	dismissed map[int64]bool // positions that an operator decided never to fold; nil: none

	changes []Change
	letters []letter
	weight  int // bytes of the states stored by the changes

	withheld map[string]bool // tickets of the events that were too heavy to be loaded with those before them
}

// letter is a row of dead_letter.
type letter struct {
	Position int64
	Ticket   string
	Behind   int64 // the dead letter that this event waits behind; 0: it is the dead letter
	Cause    string
}

// page takes events until a page's worth is reached: by weight, by time, or before a ticket that was not loaded. It
// takes at least one, and returns how many. So a page's memory is bounded, and no page outlasts its lease, whatever
// senders do: a ticket's state grows with its segments, up to hundreds of kilobytes that each event stores anew.
func (f *folding) page(events []eventstore.Event, until time.Time) int {
	for i, e := range events {
		if i > 0 && (f.weight >= pageWeight || f.withheld[e.Ticket] || time.Now().After(until)) {
			return i
		}
		f.event(e)
	}
	return len(events)
}

// event takes the next event. One that can't be decoded or folded becomes a dead letter, and its ticket stands still
// from then on: later events of it queue behind, so that they are folded in their order once the cause is mended.
func (f *folding) event(e eventstore.Event) {
	if e.Quarantined != "" || f.dismissed[e.Position] {
		return
	}
	if dead, ok := f.dead[e.Ticket]; ok {
		f.letters = append(f.letters, letter{Position: e.Position, Ticket: e.Ticket, Behind: dead, Cause: waitsBehind(dead)})
		return
	}
	change, ok, err := f.fold(e)
	if err != nil {
		f.bury(e, err)
		return
	}
	if ok {
		f.changes = append(f.changes, change)
	}
}

func waitsBehind(dead int64) string { return fmt.Sprintf("waits behind %d", dead) }

// dismiss has the folding pass over an event, as if the log didn't have it.
func (f *folding) dismiss(position int64) {
	if f.dismissed == nil {
		f.dismissed = map[int64]bool{}
	}
	f.dismissed[position] = true
}

// bury makes the event a dead letter.
func (f *folding) bury(e eventstore.Event, cause error) {
	f.letters = append(f.letters, letter{Position: e.Position, Ticket: e.Ticket, Cause: shorten(clean(cause.Error()))})
	if e.Ticket != "" {
		f.dead[e.Ticket] = e.Position
	}
}

func (f *folding) buryAll(events []eventstore.Event, cause error) {
	for _, e := range events {
		f.bury(e, cause)
	}
}

// fold decodes the event and applies it; false when nothing came of it. A panic of an adapter or of the fold is an
// error like any other: the payload is the sender's choice, and one sender must not stop a whole source.
func (f *folding) fold(e eventstore.Event) (c Change, ok bool, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	decoded, err := f.decode(e)
	if err != nil {
		return Change{}, false, err
	}
	if e.Ticket == "" || decoded.Ticket == nil {
		c := Change{Event: bodiless(e), Names: decoded.Names}
		return c, len(c.Names) > 0, nil
	}
	c, err = f.apply(e, *decoded.Ticket)
	c.Names = decoded.Names
	return c, err == nil, err
}

// apply folds the observation into its ticket, unless the result can't be stored.
func (f *folding) apply(e eventstore.Event, o ticket.Observation) (Change, error) {
	o.Position, o.ReceivedAt = e.Position, e.ReceivedAt
	before := f.tickets[e.Ticket]
	after, transitions := ticket.Apply(before, o)
	var stored []byte
	if before.LastPosition == 0 || !after.Same(before.State) {
		var err error
		if stored, err = EncodeState(after.State); err != nil {
			return Change{}, err
		}
	}
	f.tickets[e.Ticket] = after
	f.weight += len(stored)
	return Change{
		Event: bodiless(e), Ticket: e.Ticket, Before: before.State, After: after.State, Stored: stored,
		Says: o, Transitions: transitions,
	}, nil
}

// decode reads the body by its adapter. Our own events are ours to read: no secret is called eventstore.Own, so no
// sender can write one.
func (f *folding) decode(e eventstore.Event) (source.Decoded, error) {
	var decoded source.Decoded
	var err error
	if e.VerifiedBy == eventstore.Own {
		decoded, err = decodeOwn(e)
	} else {
		decoded, err = f.adapter.Decode(e.Body)
	}
	if err != nil {
		return source.Decoded{}, fmt.Errorf("decode: %w", err)
	}
	for i, n := range decoded.Names {
		decoded.Names[i] = source.Name{Kind: n.Kind, ID: clean(n.ID), Name: clean(n.Name)}
	}
	if decoded.Ticket != nil {
		storable(decoded.Ticket)
		err = sound(decoded.Ticket)
	}
	return decoded, err
}

func bodiless(e eventstore.Event) eventstore.Event {
	e.Body = nil
	return e
}

// storable cleans the texts of what Postgres keeps in no text: a NUL and broken UTF-8 would fail a whole page.
func storable(o *ticket.Observation) {
	for _, text := range []*string{&o.Queue, &o.Desk, &o.Agent, &o.Label, &o.Reason} {
		*text = clean(*text)
	}
}

func clean(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}

// shorten keeps a cause readable in a list.
func shorten(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " …"
}

// What no column can keep, and no honest sender means.
var errImpossible = errors.New("impossible value")

// sound refuses what is not text and can't be stored.
func sound(o *ticket.Observation) error {
	if o.Status != "" && !slices.Contains(ticket.Statuses, o.Status) {
		return fmt.Errorf("%w: status %q", errImpossible, o.Status)
	}
	if o.Priority < math.MinInt32 || o.Priority > math.MaxInt32 {
		return fmt.Errorf("%w: priority %d", errImpossible, o.Priority)
	}
	for _, t := range []time.Time{o.At, o.CreatedAt, o.ActivatedAt, o.CalledAt, o.ServingAt, o.OrderAfter, o.BookedFor} {
		if year := t.UTC().Year(); year < 1 || year > 9999 {
			return fmt.Errorf("%w: year %d", errImpossible, year)
		}
	}
	return nil
}
