package estimate

import (
	"cmp"
	"slices"
)

// window is the latest finished waits, and what became of their predictions in ascending order.
type window struct {
	waits  []Wait // oldest first, rangeWaits at most
	sorted []float64
}

// add takes in a wait; the oldest one goes when there are too many.
func (w *window) add(wait Wait) {
	if len(w.waits) == rangeWaits {
		if r, ok := w.waits[0].ratio(); ok {
			i, _ := slices.BinarySearch(w.sorted, r)
			w.sorted = slices.Delete(w.sorted, i, i+1)
		}
		w.waits = slices.Delete(w.waits, 0, 1)
	}
	w.waits = append(w.waits, wait)
	if r, ok := wait.ratio(); ok {
		i, _ := slices.BinarySearch(w.sorted, r)
		w.sorted = slices.Insert(w.sorted, i, r)
	}
}

// sort brings what became of the predictions up to date with the waits.
func (w *window) sort() {
	w.sorted = w.sorted[:0]
	for _, wait := range w.waits {
		if r, ok := wait.ratio(); ok {
			w.sorted = append(w.sorted, r)
		}
	}
	slices.Sort(w.sorted)
}

// ratio is how much longer or shorter the wait was than its queue's pace promised.
func (w Wait) ratio() (float64, bool) {
	if w.Queue < 0 {
		return 0, false
	}
	return ratio(float64(w.Seconds), float64(w.Queue)/1000), true
}

// last is the latest finished wait.
func (w *window) last() (Wait, bool) {
	if len(w.waits) == 0 {
		return Wait{}, false
	}
	return w.waits[len(w.waits)-1], true
}

// ratios are ascending; false when there are too few to go by them alone.
func (w *window) ratios() ([]float64, bool) { return w.sorted, len(w.sorted) >= rangeLeast }

// hourly is the mean of the waits that ended within the hour before an instant, of those that are kept.
func (w *window) hourly(now int64) (float64, bool) {
	var sum, n int64
	for i := len(w.waits) - 1; i >= 0 && w.waits[i].EndedAt > now-3600; i-- {
		sum, n = sum+w.waits[i].Seconds, n+1
	}
	if n == 0 {
		return 0, false
	}
	return float64(sum) / float64(n), true
}

// Others are the latest finished waits of all queues of a source: what a queue that has seen too few goes by. The zero
// value has none.
type Others struct{ window }

// othersOf gathers the latest ones of each queue. Each queue keeps as many as are wanted of all, so none is missing.
func othersOf(pasts map[string]*Past) *Others {
	var all []Wait
	for _, p := range pasts {
		all = append(all, p.Waits.waits...)
	}
	slices.SortFunc(all, func(a, b Wait) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.N, b.N))
	})
	o := &Others{window{waits: all[max(0, len(all)-rangeWaits):]}}
	o.sort()
	return o
}

// ratios are ascending; false when there is none.
func (o *Others) ratios() ([]float64, bool) {
	if o == nil {
		return nil, false
	}
	return o.sorted, len(o.sorted) > 0
}
