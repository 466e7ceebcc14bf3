package estimate

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// pastVersion is the first byte of what is stored. Another one needs a rebuild.
const pastVersion = 1

// encode returns the past in a compact form. The same past has the same bytes always.
func (p *Past) encode() []byte {
	b := make([]byte, 0, 64+10*len(p.Waits.waits))
	b = append(b, pastVersion)
	put := func(n int64) { b = binary.AppendVarint(b, n) }
	for _, n := range []int64{p.Clock, p.Busy, p.Waiting, p.Departures, p.Day, p.Today, int64(len(p.Recent))} {
		put(n)
	}
	for _, busy := range p.Recent { // as what was left until the clock stands where it does
		put(p.Busy - busy)
	}
	put(int64(len(p.Waits.waits)))
	var before Wait
	for _, w := range p.Waits.waits {
		put(w.Position - before.Position)
		put(w.N)
		put(w.EndedAt - before.EndedAt)
		put(w.Seconds)
		put(w.Queue)
		before = w
	}
	return b
}

var errPast = errors.New("not the past of a queue, or another version's: queuetrack rebuild writes it anew")

// decode reads what encode wrote, and refuses all else.
func (p *Past) decode(b []byte) error {
	if len(b) == 0 || b[0] != pastVersion {
		return errPast
	}
	r := reader{b[1:], true}
	*p = Past{}
	for _, n := range []*int64{&p.Clock, &p.Busy, &p.Waiting, &p.Departures, &p.Day, &p.Today} {
		*n = r.int()
	}
	for range r.count(paceIntervals + 1) {
		p.Recent = append(p.Recent, p.Busy-r.int())
	}
	var before Wait
	for range r.count(rangeWaits) {
		w := Wait{Position: before.Position + r.int(), N: r.int(), EndedAt: before.EndedAt + r.int(), Seconds: r.int(), Queue: r.int()}
		p.Waits.waits = append(p.Waits.waits, w)
		before = w
	}
	p.Waits.sort()
	if !r.ok || len(r.left) > 0 {
		return fmt.Errorf("%w (%d bytes)", errPast, len(b))
	}
	return nil
}

// reader takes numbers from bytes; ok until it could not.
type reader struct {
	left []byte
	ok   bool
}

func (r *reader) int() int64 {
	n, size := binary.Varint(r.left)
	if size <= 0 {
		r.left, r.ok = nil, false
		return 0
	}
	r.left = r.left[size:]
	return n
}

// count reads how many follow.
func (r *reader) count(most int) int64 {
	n := r.int()
	if n < 0 || n > int64(most) {
		r.ok = false
		return 0
	}
	return n
}
