package ticket

import (
	"encoding/json"
	"fmt"
	"time"
)

// stored is a ticket between pages: the facts, not the state that they tell.
type stored struct {
	Facts      []fact    `json:"facts"`
	Position   int64     `json:"position"`
	ReceivedAt time.Time `json:"received_at,omitzero"`
}

// MarshalBinary keeps the ticket's facts; UnmarshalBinary derives the state from them again.
func (t Ticket) MarshalBinary() ([]byte, error) {
	b, err := json.Marshal(stored{t.facts, t.LastPosition, t.LastReceivedAt})
	if err != nil {
		return nil, fmt.Errorf("encode ticket: %w", err)
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (t *Ticket) UnmarshalBinary(b []byte) error {
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("decode ticket: %w", err)
	}
	t.facts = s.Facts
	t.State, _ = derive(s.Facts)
	t.LastPosition, t.LastReceivedAt = s.Position, s.ReceivedAt
	return nil
}
