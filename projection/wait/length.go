package wait

import "time"

// length is how many wait in all queues of a lane, as far as time has been gone through.
type length struct {
	lane    lane
	waiting int64
	since   int64
}

func (w *walk) length(l lane) *length {
	if w.lanes[l] == nil {
		w.lanes[l] = &length{lane: l, since: w.begin}
	}
	return w.lanes[l]
}

// advance counts a lane's length since its last change, in the buckets that it has lasted through.
func (w *walk) advance(l *length, to int64) {
	if to <= l.since {
		return
	}
	from := l.since
	if l.since = to; l.waiting == 0 {
		return
	}
	for b := w.bucket(time.Unix(from, 0)); from < to; b++ {
		until := min(to, w.bounds[b+1].Unix())
		if b == len(w.of)-1 {
			until = to // a window's end that is no whole second
		}
		if key := w.of[b]; key != noKey && until > from {
			total := &w.m.at(place{l.lane, key}).QueueLength
			total.WaitingSeconds += l.waiting * (until - from)
			total.Max = max(total.Max, l.waiting)
		}
		from = until
	}
}

// elapsed is how much of each key lies in the window and has passed.
func (w *walk) elapsed() []int64 {
	elapsed := make([]int64, len(w.keys))
	for b, key := range w.of {
		from, to := max(w.begin, w.bounds[b].Unix()), w.bounds[b+1].Unix()
		if b == len(w.of)-1 || to > w.end {
			to = w.end
		}
		if key != noKey {
			elapsed[key] += max(0, to-from)
		}
	}
	return elapsed
}
