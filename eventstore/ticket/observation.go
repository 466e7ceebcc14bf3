package ticket

import "time"

// Actor is who did it.
type Actor string

// The actors. The empty actor is unknown.
const (
	ActorCustomer Actor = "customer"
	ActorStaff    Actor = "staff"
)

// Observation is what one delivery says is now true of a ticket, in the log's language.
//
// There are two kinds of sender. A milestone sender (Qminder, Ombori) repeats in each delivery the times of
// the steps so far: they become facts of their own, so a lost or late delivery is filled in by any later one.
// A snapshot sender (SuperOffice) dates each delivery and describes the ticket's whole state: what happened is
// the difference to the snapshot before.
//
// Zero times and empty strings mean "the delivery doesn't say". All times are UTC.
type Observation struct {
	Position   int64     // of the event in its source's log
	ReceivedAt time.Time // by our clock

	Says   Transition // what the vendor called it; Status outranks it
	Status Status     // what is now true; empty for feedback and mere edits that tell no status
	// At is since when, by the vendor's clock; zero: ReceivedAt stands in, and the ticket says so. Where the payload has the
	// step's own time (CalledAt of a call) it is that one, to the microsecond, and not the event's: two times are two steps.
	At       time.Time
	Returns  bool // "created" may also say that the ticket is back in the queue (Qminder sends it again then)
	Snapshot bool // a dated snapshot of the whole state; then an empty Agent means "nobody"

	CreatedAt   time.Time // when the ticket (or its booking) was made
	ActivatedAt time.Time // when a booking began to wait
	CalledAt    time.Time // the last call: a re-call overwrites it
	ServingAt   time.Time // when the visitor arrived at the desk
	Booking     bool      // the ticket began as a booking: CreatedAt is not when it began to wait

	BookedFor time.Time // the appointed time of a booking

	Queue      string
	Desk       string
	Agent      string
	Label      string // what the screen shows, as "A2"
	Priority   int    // higher is sooner
	OrderAfter time.Time

	Seen int64 // our own events: the ticket's last position that the author knew; a later one voids it. 0: any

	By     Actor  // who ended it
	Reason string // in the vendor's or the adapter's words: "rejected after call", "merged into 42"
	Flags  []Flag // what the adapter noticed
}
