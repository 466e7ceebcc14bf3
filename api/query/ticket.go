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
	Label          *string    `json:"label" doc:"What the screen shows for the visitor; null: the vendor tells none." example:"A2"`
	Status         string     `json:"status" doc:"booked, waiting, called, serving or on_hold; ended: served, cancelled, no_show, merged or expired. May grow." example:"waiting"`
	Queue          *string    `json:"queue" doc:"The vendor's id of the queue it is in, or was last; null: none was told."`
	CreatedAt      *time.Time `json:"created_at" doc:"By the vendor's clock; null: not known yet."`
	WaitingSince   *time.Time `json:"waiting_since" doc:"Entry to the queue; null unless it waits."`
	CalledAt       *time.Time `json:"called_at" doc:"First call in the present queue: it ends the wait. Null: not called there yet."`
	LastCalledAt   *time.Time `json:"last_called_at" doc:"Last call of all; null: never called."`
	ServingSince   *time.Time `json:"serving_since" doc:"Arrival at the desk; null: not there, or the vendor reports no arrivals."`
	EndedAt        *time.Time `json:"ended_at" doc:"When it ended, whatever the status; null: it is open."`
	Desk           *string    `json:"desk" doc:"The vendor's id of the desk told last; null: none was."`
	Agent          *string    `json:"agent" doc:"The vendor's id of the person told last; null: none was."`
	Calls          int        `json:"calls" minimum:"0" doc:"Calls and re-calls."`
	Returns        int        `json:"returns" minimum:"0" doc:"How often it was sent back to wait."`
	WaitSeconds    int64      `json:"wait_seconds" doc:"Whole seconds in waiting, over all segments, a running one included, holds left out. Negative where the vendor's clock ran backwards."`
	ServiceSeconds *int64     `json:"service_seconds" doc:"Whole seconds in service of the served segments, holds left out; null: none was served."`
	Flags          flags      `json:"flags"`
	Segments       []segment  `json:"segments" nullable:"false" doc:"One stay in one queue each, in order."`
}

// segment is one stay in one queue.
type segment struct {
	Queue          *string    `json:"queue" doc:"The vendor's id; null: none was told."`
	EnteredAt      *time.Time `json:"entered_at" doc:"When it began to wait there; null: not known yet."`
	CalledAt       *time.Time `json:"called_at" doc:"First call, which ends the wait; null: none yet."`
	LeftAt         *time.Time `json:"left_at" doc:"When it ended or left the queue; null: it is there."`
	Outcome        string     `json:"outcome" doc:"open, served, no_show, abandoned, cancelled, returned, transferred, expired or merged. May grow."`
	WaitSeconds    *int64     `json:"wait_seconds" doc:"Whole seconds from entry to first call, or to leaving without one, holds left out; null while it waits."`
	ServiceSeconds *int64     `json:"service_seconds" doc:"Whole seconds from arrival at the desk (from the call, where none is told) to the end, holds left out; null: not served."`
	Flags          flags      `json:"flags"`
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
