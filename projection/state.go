package projection

import (
	"encoding/json"
	"fmt"
	"time"

	"queuetrack/eventstore/ticket"
)

// storedState is a ticket.State in a jsonb column. Its tags are the rows' format: a changed meaning needs a rebuild,
// a new name none. Times are RFC 3339 in UTC, and left out when zero.
type storedState struct {
	Status         ticket.Status   `json:"status,omitempty"`
	Queue          string          `json:"queue,omitempty"`
	Desk           string          `json:"desk,omitempty"`
	Agent          string          `json:"agent,omitempty"`
	Label          string          `json:"label,omitempty"`
	Priority       int             `json:"priority,omitempty"`
	OrderAfter     time.Time       `json:"order_after,omitzero"`
	CreatedAt      time.Time       `json:"created_at,omitzero"`
	BookedFor      time.Time       `json:"booked_for,omitzero"`
	WaitingSince   time.Time       `json:"waiting_since,omitzero"`
	CalledAt       time.Time       `json:"called_at,omitzero"`
	ServingSince   time.Time       `json:"serving_since,omitzero"`
	EndedAt        time.Time       `json:"ended_at,omitzero"`
	EndedBy        ticket.Actor    `json:"ended_by,omitempty"`
	Reason         string          `json:"reason,omitempty"`
	Calls          []time.Time     `json:"calls,omitempty"`
	Returns        []time.Time     `json:"returns,omitempty"`
	Flags          []ticket.Flag   `json:"flags,omitempty"`
	Segments       []storedSegment `json:"segments,omitempty"`
	Spells         []storedSpell   `json:"spells,omitempty"`
	LastPosition   int64           `json:"last_position,omitempty"`
	LastReceivedAt time.Time       `json:"last_received_at,omitzero"`
}

type storedSegment struct {
	Queue              string         `json:"queue,omitempty"`
	Desk               string         `json:"desk,omitempty"`
	Agent              string         `json:"agent,omitempty"`
	EnteredAt          time.Time      `json:"entered_at,omitzero"`
	CalledAt           time.Time      `json:"called_at,omitzero"`
	ServingAt          time.Time      `json:"serving_at,omitzero"`
	LeftAt             time.Time      `json:"left_at,omitzero"`
	Outcome            ticket.Outcome `json:"outcome,omitempty"`
	HeldWaitingSeconds int64          `json:"held_waiting_seconds,omitempty"`
	HeldServiceSeconds int64          `json:"held_service_seconds,omitempty"`
	Position           int64          `json:"position,omitempty"`
	Flags              []ticket.Flag  `json:"flags,omitempty"`
}

type storedSpell struct {
	Status ticket.Status `json:"status,omitempty"`
	Queue  string        `json:"queue,omitempty"`
	From   time.Time     `json:"from,omitzero"`
	To     time.Time     `json:"to,omitzero"`
}

// EncodeState returns the state as JSON, for a jsonb column. Postgres orders the keys anew: compare what DecodeState
// returns, not the text.
func EncodeState(s ticket.State) ([]byte, error) {
	b, err := json.Marshal(toStored(s))
	if err != nil {
		return nil, fmt.Errorf("encode a ticket's state: %w", err)
	}
	return b, nil
}

// DecodeState reads what EncodeState wrote. Keys that it doesn't know are another version's, and passed over.
func DecodeState(b []byte) (ticket.State, error) {
	var stored storedState
	if err := json.Unmarshal(b, &stored); err != nil {
		return ticket.State{}, fmt.Errorf("decode a ticket's state: %w", err)
	}
	return stored.state(), nil
}

func toStored(s ticket.State) storedState {
	stored := storedState{
		Status: s.Status, Queue: s.Queue, Desk: s.Desk, Agent: s.Agent, Label: s.Label, Priority: s.Priority,
		OrderAfter: s.OrderAfter.UTC(), CreatedAt: s.CreatedAt.UTC(), BookedFor: s.BookedFor.UTC(), WaitingSince: s.WaitingSince.UTC(),
		CalledAt: s.CalledAt.UTC(), ServingSince: s.ServingSince.UTC(), EndedAt: s.EndedAt.UTC(),
		EndedBy: s.EndedBy, Reason: s.Reason, Calls: s.Calls, Returns: s.Returns, Flags: s.Flags,
		LastPosition: s.LastPosition, LastReceivedAt: s.LastReceivedAt.UTC(),
	}
	for _, g := range s.Segments {
		stored.Segments = append(stored.Segments, storedSegment{
			Queue: g.Queue, Desk: g.Desk, Agent: g.Agent,
			EnteredAt: g.EnteredAt.UTC(), CalledAt: g.CalledAt.UTC(), ServingAt: g.ServingAt.UTC(), LeftAt: g.LeftAt.UTC(),
			Outcome: g.Outcome, HeldWaitingSeconds: g.HeldWaitingSeconds, HeldServiceSeconds: g.HeldServiceSeconds,
			Position: g.Position, Flags: g.Flags,
		})
	}
	for _, p := range s.Spells {
		stored.Spells = append(stored.Spells, storedSpell{Status: p.Status, Queue: p.Queue, From: p.From.UTC(), To: p.To.UTC()})
	}
	return stored
}

func (stored storedState) state() ticket.State {
	s := ticket.State{
		Status: stored.Status, Queue: stored.Queue, Desk: stored.Desk, Agent: stored.Agent, Label: stored.Label,
		Priority: stored.Priority, OrderAfter: stored.OrderAfter, CreatedAt: stored.CreatedAt, BookedFor: stored.BookedFor,
		WaitingSince: stored.WaitingSince, CalledAt: stored.CalledAt, ServingSince: stored.ServingSince,
		EndedAt: stored.EndedAt, EndedBy: stored.EndedBy, Reason: stored.Reason, Calls: stored.Calls,
		Returns: stored.Returns, Flags: stored.Flags, LastPosition: stored.LastPosition,
		LastReceivedAt: stored.LastReceivedAt,
	}
	for _, g := range stored.Segments {
		s.Segments = append(s.Segments, ticket.Segment{
			Queue: g.Queue, Desk: g.Desk, Agent: g.Agent,
			EnteredAt: g.EnteredAt, CalledAt: g.CalledAt, ServingAt: g.ServingAt, LeftAt: g.LeftAt,
			Outcome: g.Outcome, HeldWaitingSeconds: g.HeldWaitingSeconds, HeldServiceSeconds: g.HeldServiceSeconds,
			Position: g.Position, Flags: g.Flags,
		})
	}
	for _, p := range stored.Spells {
		s.Spells = append(s.Spells, ticket.Spell{Status: p.Status, Queue: p.Queue, From: p.From, To: p.To})
	}
	return s
}

// Canonical is the state in the text that EncodeState gives it, whatever order Postgres put its keys in.
func Canonical(stored []byte) (string, error) {
	s, err := DecodeState(stored)
	if err != nil {
		return "", err
	}
	b, err := EncodeState(s)
	return string(b), err
}
