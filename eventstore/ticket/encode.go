package ticket

import (
	"fmt"
	"time"
)

// The versions of what is stored: the first byte. Another one, or any other change of the forms below, needs a rebuild
// (and the fold's fingerprint tells).
const (
	ticketVersion = 1
	stateVersion  = 2
)

// The fewest bytes that the zero value of each takes: one a field.
const (
	leastFact    = 19
	leastSegment = 13
	leastSpell   = 4
)

// MarshalBinary keeps the ticket's facts; UnmarshalBinary derives the state from them again. The same ticket has the
// same bytes always.
func (t Ticket) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }

// AppendBinary appends what MarshalBinary returns.
func (t Ticket) AppendBinary(b []byte) ([]byte, error) {
	c := coder{out: b}
	t.code(&c)
	if c.err != nil {
		return nil, fmt.Errorf("encode ticket: %w", c.err)
	}
	return c.out, nil
}

// UnmarshalBinary reads what MarshalBinary wrote, and refuses all else.
func (t *Ticket) UnmarshalBinary(b []byte) error {
	c := read(b)
	var stored Ticket
	stored.code(&c)
	c.end()
	if c.err != nil {
		return fmt.Errorf("decode ticket: %w", c.err)
	}
	t.facts = stored.facts
	t.State, _ = derive(stored.facts)
	t.LastPosition, t.LastReceivedAt = stored.LastPosition, stored.LastReceivedAt
	return nil
}

func (t *Ticket) code(c *coder) {
	c.version(ticketVersion)
	c.int(&t.LastPosition)
	c.time(&t.LastReceivedAt)
	room(c, &t.facts, leastFact)
	for i := range t.facts {
		t.facts[i].code(c)
	}
}

func (f *fact) code(c *coder) {
	c.bits(&f.Passing, &f.Assumed, &f.Ahead, &f.Snapshot, &f.Birth, &f.Told, &f.Booking)
	word(c, &f.Status)
	word(c, &f.Says)
	c.int(&f.Position)
	c.int(&f.Again)
	c.time(&f.At)
	c.time(&f.EntryAt)
	c.time(&f.Created)
	c.time(&f.CallAt)
	c.time(&f.Order)
	c.time(&f.For)
	c.text(&f.Queue)
	c.text(&f.Desk)
	c.text(&f.Agent)
	c.text(&f.Label)
	number(c, &f.Rank)
	word(c, &f.By)
	c.text(&f.Reason)
	flags(c, &f.Flags)
}

// AppendBinary appends the state in a compact form. The same state has the same bytes always, so they may be compared.
// The error is a year that isn't between 1 and 9999.
func (s State) AppendBinary(b []byte) ([]byte, error) {
	c := coder{out: b}
	s.code(&c)
	if c.err != nil {
		return nil, fmt.Errorf("encode state: %w", c.err)
	}
	return c.out, nil
}

// UnmarshalBinary reads what AppendBinary appended, and refuses all else.
func (s *State) UnmarshalBinary(b []byte) error {
	c := read(b)
	var stored State
	stored.code(&c)
	c.end()
	if c.err != nil {
		return fmt.Errorf("decode state: %w", c.err)
	}
	*s = stored
	return nil
}

func (s *State) code(c *coder) {
	c.version(stateVersion)
	word(c, &s.Status)
	c.text(&s.Queue)
	c.text(&s.Desk)
	c.text(&s.Agent)
	c.text(&s.Label)
	number(c, &s.Priority)
	c.time(&s.CreatedAt)
	c.time(&s.WaitingSince)
	room(c, &s.Segments, leastSegment)
	for i := range s.Segments {
		s.Segments[i].code(c)
	}
	room(c, &s.Spells, leastSpell)
	for i := range s.Spells {
		s.Spells[i].code(c)
	}
	times(c, &s.Calls)
	times(c, &s.Returns)
	c.time(&s.CalledAt)
	c.time(&s.ServingSince)
	c.time(&s.EndedAt)
	word(c, &s.EndedBy)
	c.text(&s.Reason)
	flags(c, &s.Flags)
	c.int(&s.LastPosition)
	c.time(&s.LastReceivedAt)
	c.time(&s.BookedFor)
	c.time(&s.OrderAfter)
}

func (s *Segment) code(c *coder) {
	c.text(&s.Queue)
	c.text(&s.Desk)
	c.text(&s.Agent)
	c.time(&s.EnteredAt)
	c.time(&s.CalledAt)
	c.time(&s.ServingAt)
	c.time(&s.LeftAt)
	word(c, &s.Outcome)
	number(c, &s.Recalls)
	c.int(&s.HeldWaitingSeconds)
	c.int(&s.HeldServiceSeconds)
	c.int(&s.Position)
	flags(c, &s.Flags)
}

func (s *Spell) code(c *coder) {
	word(c, &s.Status)
	c.text(&s.Queue)
	c.time(&s.From)
	c.time(&s.To)
}

func times(c *coder, p *[]time.Time) {
	room(c, p, 1)
	for i := range *p {
		c.time(&(*p)[i])
	}
}

func number(c *coder, p *int) {
	v := int64(*p)
	c.int(&v)
	if c.reading {
		*p = int(v)
	}
}
