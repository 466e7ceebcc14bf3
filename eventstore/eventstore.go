package eventstore

import (
	"errors"
	"time"

	"github.com/google/uuid"
)

// Own is Event.VerifiedBy of the events that queuetrack itself appends. No secret can have this name, so no sender
// can forge one, whatever type its body claims.
const Own = "queuetrack"

// The types of our own events.
const (
	TypeExpired = "queuetrack.expired" // no event of the ticket for too long
	TypeClosed  = "queuetrack.closed"  // an operator closed it
)

// ErrBusy means that the log can't be written now: too much is waiting, the lock or the statement timed out, or the
// database is away. Nothing was kept, except when the connection was lost during a commit and could not be made anew
// for seconds: then nobody knows. The sender should try again; deduplication is for just that.
var ErrBusy = errors.New("the log can't be written now")

// Delivery is an authentic delivery on its way into the log, as plain values.
type Delivery struct {
	Ticket      string    // empty: about no ticket
	Type        string    // the vendor's name of the event
	EventKey    string    // unique for ever in its source; empty: the latest body of the ticket decides. Our own events need one
	OccurredAt  time.Time // zero: not told
	ReceivedAt  time.Time // by this process's clock
	Body        []byte    // as received; the log keeps it, so the caller must not change it
	VerifiedBy  string    // the secret that verified it, or Own
	Quarantined string    // why it can't be used; empty: it can
	RepeatOf    int64     // the quarantined position whose body this is; past deduplication. 0: none
}

// Result is what became of a delivery.
type Result string

// The results.
const (
	Accepted    Result = "accepted"
	Duplicate   Result = "duplicate"   // known; nothing was appended
	Quarantined Result = "quarantined" // appended, with its cause; the fold skips it
)

// Receipt is the log's answer: it is given after the commit, so it holds whatever happens next.
type Receipt struct {
	Result   Result
	Position int64 // of the event; of the original for a Duplicate
}

// Event is one row of the log.
type Event struct {
	Source      string
	Position    int64
	Ticket      string // empty: about no ticket
	Type        string
	EventKey    string    // empty: none
	OccurredAt  time.Time // zero: not told
	ReceivedAt  time.Time
	Body        []byte
	Digest      [32]byte // SHA-256 of Body
	DeliveryID  uuid.UUID
	VerifiedBy  string
	Quarantined string // empty: it can be used
	RepeatOf    int64  // 0: none
}
