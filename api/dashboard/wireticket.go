package dashboard

import (
	"cmp"
	"time"
)

// ticketState is one ticket by itself.
type ticketState struct {
	openTicket
	EndedAt  *time.Time    `json:"ended_at"`
	Agent    *string       `json:"agent"`
	Returns  int64         `json:"returns"`
	Flags    []string      `json:"flags"`
	Segments []segmentWire `json:"segments"`
}

// Shown is what a ticket goes by: its label, else its id.
func (t openTicket) Shown() string { return cmp.Or(t.Label, t.Ticket) }

// Open reports whether the ticket has not ended.
func (t openTicket) Open() bool {
	switch t.Status {
	case "booked", "waiting", "called", "serving", "on_hold":
		return true
	}
	return false
}

// segmentWire is one stay in one queue.
type segmentWire struct {
	Queue          string     `json:"queue"`
	EnteredAt      *time.Time `json:"entered_at"`
	CalledAt       *time.Time `json:"called_at"`
	LeftAt         *time.Time `json:"left_at"`
	Outcome        string     `json:"outcome"`
	WaitSeconds    *int64     `json:"wait_seconds"`
	ServiceSeconds *int64     `json:"service_seconds"`
	Flags          []string   `json:"flags"`
}

// historyWire is one event of a ticket.
type historyWire struct {
	Position    int64             `json:"position"`
	Type        string            `json:"type"`
	Transitions []string          `json:"transitions"`
	OccurredAt  *time.Time        `json:"occurred_at"`
	ReceivedAt  *time.Time        `json:"received_at"`
	RepeatOf    *int64            `json:"repeat_of"`
	Detail      map[string]string `json:"detail"`
}
