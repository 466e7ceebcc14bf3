package ingest

import "sync"

// room bounds what is in flight: deliveries that are being read or wait for the log, and their bytes.
type room struct {
	deliveries int   // at most
	bytes      int64 // at most

	mu        sync.Mutex
	held      int
	heldBytes int64
}

// take makes room for one more delivery, or reports that there is none. It never waits.
func (r *room) take(size int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held >= r.deliveries || r.heldBytes+size > r.bytes {
		return false
	}
	r.held++
	r.heldBytes += size
	return true
}

// leave gives back what take took.
func (r *room) leave(size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held--
	r.heldBytes -= size
}

// inFlight returns what is held now.
func (r *room) inFlight() (deliveries int, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held, r.heldBytes
}
