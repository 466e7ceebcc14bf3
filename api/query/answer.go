package query

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"time"

	"queuetrack/api"
	"queuetrack/projection"
)

// clockStep is how long answers that move with the clock stand still: all that is computed within it is computed for its
// beginning, so that they can be kept and compared.
const clockStep = 5 * time.Second

// question is what an answer from projections is about, beside what its read models are asked.
type question struct {
	least map[string]int64     // min_position: as far as the sources must have been folded
	asOf  time.Time            // what was true then; zero: now
	told  map[string]int64     // as_of_position: what had been told by then, of these sources; nil: by now
	then  map[string]time.Time // when that was: the receipt of the last event told

	moves    bool   // with the clock, unless it is about the past
	resolved string // what the clock made of the parameters
}

// past reports whether the question is about an instant or a position that has been.
func (q *question) past() bool { return !q.asOf.IsZero() || q.told != nil }

// waits is as far as the sources must have been folded.
func (q *question) waits() map[string]int64 {
	if q.told == nil {
		return q.least
	}
	most := maps.Clone(q.told)
	for source, position := range q.least {
		most[source] = max(most[source], position)
	}
	return most
}

// now is the instant that an answer about a source is for.
func (q *question) now(v *projection.View, source string) time.Time {
	if q.told != nil {
		return q.then[source]
	}
	return v.Now
}

// answer opens one consistent look for an answer, and makes its tag. A client that has the answer already costs one read
// of the checkpoints: errNotModified. f is called at most once.
func (d *Door) answer(ctx context.Context, q *question, f func(*projection.View) error) error {
	x := exchangeOf(ctx)
	seen, err := d.seen(ctx, q.waits(), x)
	if err != nil {
		return err
	}
	now := d.cfg.Now().UTC().Truncate(clockStep)
	if x.tag = d.tag(x, q, now, seen); x.known.has(x.tag) {
		return errNotModified
	}
	if q.then, err = d.receipts(ctx, q.told); err != nil {
		return err
	}
	err = d.reader.View(ctx, func(v *projection.View) error {
		v.Now = now
		if !q.asOf.IsZero() {
			v.Now = q.asOf.UTC()
		}
		x.tag = d.tag(x, q, now, v.Checkpoints)
		return f(v)
	})
	// Only now is it known that there is an answer at all.
	if err == nil && (x.known.any || x.known.has(x.tag)) {
		return errNotModified
	}
	return err
}

// seen waits until the sources are folded so far, and reads the checkpoints if they are needed.
func (d *Door) seen(ctx context.Context, least map[string]int64, x *exchange) (seen projection.Checkpoints, err error) {
	switch {
	case len(least) > 0:
		seen, err = d.reader.Await(ctx, least)
	case len(x.known.tags) > 0:
		seen, err = d.reader.Checkpoints(ctx)
	}
	var behind *projection.BehindError
	if errors.As(err, &behind) {
		seconds := int64(math.Ceil(behind.RetryAfter().Seconds()))
		return seen, api.NewProblem(api.KindNotFolded, "After two seconds "+behind.Error()+". Ask again after Retry-After. A position beyond the tail that GET /v1/sources tells will not come: then the number is wrong.").With("Retry-After", decimal(seconds))
	}
	return seen, err
}

// tag stands for the answer's bytes: all that decides them is in it.
func (d *Door) tag(x *exchange, q *question, now time.Time, c projection.Checkpoints) string {
	b := fmt.Appendf(nil, "%s %q %q %q %d\n", d.digest, x.request, x.format, q.resolved, c.Generation)
	for _, name := range d.names {
		b = fmt.Appendf(b, "%s %d %d\n", name, c.Positions[name], c.Epochs[name])
	}
	if q.moves && !q.past() {
		b = strconv.AppendInt(b, now.Unix(), 10)
	}
	return tagOf(b)
}

// receipts are when the events at these positions were received. The log never changes: it needs no snapshot, and is
// read before one is opened, so that no request holds one connection while it waits for another.
func (d *Door) receipts(ctx context.Context, told map[string]int64) (map[string]time.Time, error) {
	then := make(map[string]time.Time, len(told))
	for source, position := range told {
		events, err := d.log.List(ctx, source, position-1, 1)
		if err != nil {
			return nil, err
		}
		if len(events) == 0 {
			return nil, fmt.Errorf("read position %d of %s: it was folded, and the log has no such event", position, source)
		}
		then[source] = events[0].ReceivedAt
	}
	return then, nil
}
