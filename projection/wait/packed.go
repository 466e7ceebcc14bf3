package wait

import (
	"encoding/binary"
	"fmt"
	"slices"

	"queuetrack/eventstore/ticket"
)

// sample is what a report counts of a segment.
type sample struct {
	outcome        outcome
	called         bool
	selfRegistered bool
	recalls        int64
	wait, service  int64 // seconds; none; anything below 0 is as good as any other
}

// packed is a sample in one number, as Postgres makes it: in column measures of wait_segment_{set}, whose comment tells the bits.
type packed uint64

const (
	secondsBits = 26
	recallsBits = 6
	serviceAt   = secondsBits
	recallsAt   = serviceAt + secondsBits
	calledAt    = recallsAt + recallsBits
	selfAt      = calledAt + 1
	outcomeAt   = selfAt + 1
)

// outcome is an outcome's number.
type outcome uint8

const (
	open outcome = iota
	served
	noShow
	abandoned
	cancelled
	returned
	transferred
	expired
	merged

	outcomes = 1 << (64 - outcomeAt) // there are at most
)

// outcomeNames are the outcomes in the order of their numbers.
var outcomeNames = []ticket.Outcome{
	ticket.OutcomeOpen, ticket.OutcomeServed, ticket.OutcomeNoShow, ticket.OutcomeAbandoned, ticket.OutcomeCancelled,
	ticket.OutcomeReturned, ticket.OutcomeTransferred, ticket.OutcomeExpired, ticket.OutcomeMerged,
}

func outcomeOf(name ticket.Outcome) outcome { return outcome(slices.Index(outcomeNames, name)) }

func (p packed) sample() sample {
	return sample{
		outcome:        outcome(p >> outcomeAt),
		called:         p>>calledAt&1 == 1,
		selfRegistered: p>>selfAt&1 == 1,
		recalls:        int64(p >> recallsAt & (1<<recallsBits - 1)),
		wait:           unpackSeconds(p),
		service:        unpackSeconds(p >> serviceAt),
	}
}

// unpackSeconds reads the lowest bits: 0 is none, 1 something negative, and the rest is 2 more than it says.
func unpackSeconds(p packed) int64 {
	n := int64(p & (1<<secondsBits - 1))
	if n == 0 {
		return none
	}
	return n - 2
}

// packedSize is how many bytes a segment has in a string of measures, the highest first.
const packedSize = 8

// eachPacked calls f with each segment of a string of measures.
func eachPacked(measures []byte, f func(packed)) error {
	if len(measures)%packedSize != 0 {
		return fmt.Errorf("%d bytes are no measures of segments, which have %d each", len(measures), packedSize)
	}
	for ; len(measures) > 0; measures = measures[packedSize:] {
		f(packed(binary.BigEndian.Uint64(measures)))
	}
	return nil
}
