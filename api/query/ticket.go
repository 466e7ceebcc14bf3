package query

import (
	"time"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection/board"
)

// TicketState is one ticket on the wire. It shows no names, phones or mail addresses: a visitor is known by the label.
type TicketState struct {
	Source         string     `json:"source" doc:"The configured source."`
	Ticket         string     `json:"ticket" doc:"The vendor's id."`
	Label          *string    `json:"label" doc:"What the screen shows." example:"A2"`
	Status         string     `json:"status" doc:"booked, waiting, called, serving or on_hold; ended: served, cancelled, no_show, merged or expired. May grow." example:"waiting"`
	Queue          *string    `json:"queue" doc:"The vendor's id of the queue it is in, or was last."`
	CreatedAt      *time.Time `json:"created_at"`
	WaitingSince   *time.Time `json:"waiting_since" doc:"Entry to the queue; null unless it waits."`
	CalledAt       *time.Time `json:"called_at" doc:"First call in the present queue: it ends the wait."`
	LastCalledAt   *time.Time `json:"last_called_at" doc:"Last call of all."`
	ServingSince   *time.Time `json:"serving_since" doc:"Arrival at the desk, where the vendor reports it."`
	EndedAt        *time.Time `json:"ended_at"`
	Desk           *string    `json:"desk" doc:"The vendor's id."`
	Agent          *string    `json:"agent" doc:"The vendor's id."`
	Calls          int        `json:"calls" minimum:"0" doc:"Calls and re-calls."`
	Returns        int        `json:"returns" minimum:"0" doc:"How often it was sent back to wait."`
	WaitSeconds    int64      `json:"wait_seconds" doc:"Time in waiting, over all segments, a running one included. Negative where the vendor's clock ran backwards."`
	ServiceSeconds *int64     `json:"service_seconds" doc:"Time in service of the served segments, without holds."`
	Flags          []string   `json:"flags" nullable:"false" doc:"What is doubtful about it."`
	Segments       []segment  `json:"segments" nullable:"false" doc:"One stay in one queue each, in order."`
}

// segment is one stay in one queue.
type segment struct {
	Queue          *string    `json:"queue"`
	EnteredAt      *time.Time `json:"entered_at"`
	CalledAt       *time.Time `json:"called_at"`
	LeftAt         *time.Time `json:"left_at"`
	Outcome        string     `json:"outcome" doc:"open, served, no_show, abandoned, cancelled, returned, transferred, expired or merged. May grow."`
	WaitSeconds    *int64     `json:"wait_seconds" doc:"Entry to first call, or to leaving without one; null while it waits."`
	ServiceSeconds *int64     `json:"service_seconds" doc:"Of a served segment."`
	Flags          []string   `json:"flags" nullable:"false"`
}

// ticketInQueue is an open ticket in its queue.
type ticketInQueue struct {
	TicketState
	Place    *int          `json:"place" minimum:"1" doc:"Its turn among those waiting in this queue; null unless it waits."`
	Estimate maybeEstimate `json:"estimate"`
}

// ticketAnswer is one ticket by itself.
type ticketAnswer struct {
	TicketState
	When
	Positions map[string]int64 `json:"positions" doc:"How far each source's log was folded."`
}

// ticketStateOf puts a ticket on the wire as it is at the instant.
func ticketStateOf(t board.Ticket, now time.Time) TicketState {
	v := TicketState{
		Source: t.Source, Ticket: t.Ticket,
		Label: optional(t.Label), Status: string(t.Status), Queue: optional(t.Queue),
		CreatedAt: at(t.CreatedAt), WaitingSince: at(t.WaitingSince), CalledAt: at(t.CalledAt),
		LastCalledAt: at(t.LastCalledAt()), ServingSince: at(t.ServingSince), EndedAt: at(t.EndedAt),
		Desk: optional(t.Desk), Agent: optional(t.Agent),
		Calls: len(t.Calls), Returns: len(t.Returns),
		WaitSeconds: t.WaitSeconds(now),
		Flags:       words(t.Flags),
		Segments:    convert(t.Segments, segmentOf),
	}
	if seconds, ok := t.ServiceSeconds(); ok {
		v.ServiceSeconds = &seconds
	}
	return v
}

func segmentOf(s ticket.Segment) segment {
	out := segment{
		Queue: optional(s.Queue), EnteredAt: at(s.EnteredAt), CalledAt: at(s.CalledAt), LeftAt: at(s.LeftAt),
		Outcome: string(s.Outcome), Flags: words(s.Flags),
	}
	if seconds, over := s.Wait(); over {
		out.WaitSeconds = &seconds
	}
	if seconds, ok := s.Service(); ok {
		out.ServiceSeconds = &seconds
	}
	return out
}
