package projection

import (
	"fmt"

	"queuetrack/eventstore/ticket"
)

// EncodeState returns the state as it is stored. The same state has the same bytes always: comparing them is comparing
// states.
func EncodeState(s ticket.State) ([]byte, error) {
	return AppendState(make([]byte, 0, usualState), s)
}

// usualState is what the states of most tickets take, in bytes.
const usualState = 160

// AppendState appends what EncodeState returns.
func AppendState(b []byte, s ticket.State) ([]byte, error) {
	b, err := s.AppendBinary(b)
	if err != nil {
		return nil, fmt.Errorf("encode a ticket's state: %w", err)
	}
	return b, nil
}

// DecodeState reads what EncodeState wrote. Anything else is another version's, or damaged; a rebuild writes it anew.
func DecodeState(b []byte) (ticket.State, error) {
	var s ticket.State
	if err := s.UnmarshalBinary(b); err != nil {
		return ticket.State{}, fmt.Errorf("read a stored ticket's state (queuetrack rebuild writes it anew): %w", err)
	}
	return s, nil
}
