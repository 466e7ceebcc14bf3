package projection_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/projection"
)

// toItsEnd is more statements than anything but a wait for somebody else takes.
const toItsEnd = 150

// steps draws how far a process gets before somebody else has his turn.
func (m *machine) steps(rt *rapid.T) int {
	if m.hurry {
		return toItsEnd
	}
	return rapid.OneOf(rapid.Just(toItsEnd), rapid.IntRange(1, 15), rapid.IntRange(1, 90)).Draw(rt, "statements")
}

// idle draws a process that does nothing. If there is none, one goes on instead, and it is nil.
func (m *machine) idle(rt *rapid.T) *process {
	if p := m.draw(rt, func(p *process) bool { return p.doing == nil }); p != nil {
		return p
	}
	m.goOn(rt)
	return nil
}

// busy draws a process in the middle of something. If there is none, one folds a page instead, and it is nil.
func (m *machine) busy(rt *rapid.T) *process {
	if p := m.draw(rt, func(p *process) bool { return p.doing != nil }); p != nil {
		return p
	}
	m.page(rt)
	return nil
}

func (m *machine) draw(rt *rapid.T, match func(*process) bool) *process {
	var some []*process
	for _, p := range m.processes {
		if match(p) {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return rapid.SampledFrom(some).Draw(rt, "process")
}

func (m *machine) drawSource(rt *rapid.T) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(m.logs))).Draw(rt, "source")
}

func drawFault(rt *rapid.T) fault {
	return rapid.SampledFrom([]fault{unsent, unanswered}).Draw(rt, "fault")
}

// sending is a batch on its way into a log.
type sending struct {
	batch    []eventstore.Delivery
	receipts []eventstore.Receipt // by the model, of those that the log has judged
}

func (m *machine) append(rt *rapid.T) {
	name := m.drawSource(rt)
	if m.sending[name] != nil { // another batch is on its way
		m.goOn(rt)
		return
	}
	p := m.idle(rt)
	if p == nil {
		return
	}
	s := &sending{}
	for range rapid.IntRange(1, 6).Draw(rt, "size") {
		s.batch = append(s.batch, m.drawDelivery(rt, *m.logs[name]))
	}
	m.sending[name] = s
	var receipts []eventstore.Receipt
	m.begin(rt, p, fmt.Sprintf("append %d to %s", len(s.batch), name), func(ctx context.Context) (err error) {
		receipts, err = p.log.AppendBatch(ctx, name, s.batch)
		return err
	}, func(rt *rapid.T, err error) {
		m.readLogs(rt)
		if err == nil {
			m.promised(rt, name, receipts)
		}
		delete(m.sending, name)
	})
	m.advance(rt, p, m.steps(rt), sound)
}

// readLogs takes what is new in the logs into the ledgers: the next of what was sent, in order, and nothing else.
func (m *machine) readLogs(rt *rapid.T) {
	for name, log := range m.logs {
		events, err := m.log.Read(m.t.Context(), name, int64(len(*log)), 1000)
		if err != nil {
			rt.Fatal(err)
		}
		for _, e := range events {
			if m.sending[name] == nil {
				rt.Fatalf("%s has a position %d that nobody appended", name, e.Position)
			}
			m.sending[name].judgeThrough(rt, log, e)
		}
	}
}

// judgeThrough goes on to the delivery that the event is.
func (s *sending) judgeThrough(rt *rapid.T, log *ledger, e eventstore.Event) {
	for len(s.receipts) < len(s.batch) {
		d := s.batch[len(s.receipts)]
		r := log.append(d)
		s.receipts = append(s.receipts, r)
		if r.Result != eventstore.Duplicate {
			if e.Position != r.Position || string(e.Body) != string(d.Body) || e.Ticket != d.Ticket || e.Quarantined != d.Quarantined {
				rt.Fatalf("position %d of %s is %s of ticket %q; want %+v at %d", e.Position, e.Source, e.Body, e.Ticket, d, r.Position)
			}
			return
		}
	}
	rt.Fatalf("position %d of %s is one too many", e.Position, e.Source)
}

// promised compares the receipts with the model's. What they promise is in the log.
func (m *machine) promised(rt *rapid.T, name string, got []eventstore.Receipt) {
	s, log := m.sending[name], m.logs[name]
	for len(s.receipts) < len(s.batch) {
		r := log.append(s.batch[len(s.receipts)])
		if r.Result != eventstore.Duplicate {
			rt.Fatalf("%s lost what it gave a receipt for: %+v", name, got)
		}
		s.receipts = append(s.receipts, r)
	}
	if diff := cmp.Diff(s.receipts, got); diff != "" {
		rt.Fatalf("receipts of %s (-want +got):\n%s", name, diff)
	}
}

// drawDelivery draws from few tickets, so that they meet.
func (m *machine) drawDelivery(rt *rapid.T, log ledger) eventstore.Delivery {
	m.clock = m.clock.Add(time.Minute)
	if len(log) > 0 && rapid.IntRange(0, 7).Draw(rt, "again") == 0 {
		d := log[rapid.IntRange(0, len(log)-1).Draw(rt, "which")]
		d.ReceivedAt = m.clock
		return d
	}
	id := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "ticket")
	at := m.clock.Add(-rapid.SampledFrom([]time.Duration{0, 0, 0, 7 * time.Minute}).Draw(rt, "late by"))
	s := m.drawPayload(rt, at)
	switch rapid.IntRange(0, 15).Draw(rt, "kind") {
	case 0, 1:
		s.Fail = "odd"
	case 2:
		s.Panic = "odder"
	case 3:
		s.Queue = unstorable()
	case 4:
		id, s = "", said{Mute: true, Names: []source.Name{{Kind: source.NameQueue, ID: "1", Name: s.At.String()}}}
	case 5:
		id, s.Fail = "", "nobody's"
	case 6:
		s = said{Mute: true}
	case 7:
		d := delivery(id, m.clock, s)
		d.Quarantined = "unreadable"
		return d
	}
	return delivery(id, m.clock, s)
}

func (m *machine) drawPayload(rt *rapid.T, at time.Time) said {
	switch rapid.IntRange(0, 5).Draw(rt, "payload") {
	case 0, 1:
		return created(rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "queue"), at)
	case 2, 3:
		return called(at)
	case 4:
		return served(at, at.Add(-time.Minute))
	}
	return transferred(rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "queue"), at)
}

func (m *machine) page(rt *rapid.T) {
	p := m.idle(rt)
	if p == nil {
		return
	}
	if rapid.IntRange(0, 2).Draw(rt, "owners") == 0 {
		m.leasesRunOut(rt)
	}
	name := m.drawSource(rt)
	n := rapid.IntRange(1, 4).Draw(rt, "pages")
	m.begin(rt, p, fmt.Sprintf("%d pages of %s", n, name), func(ctx context.Context) error {
		return p.pages(ctx, m.t.Context(), name, n)
	}, nil)
	m.advance(rt, p, m.steps(rt), sound)
}

// overtake has somebody begin something, and others fold on before he goes on.
func (m *machine) overtake(rt *rapid.T) {
	rapid.SampledFrom([]func(*rapid.T){m.rebuild, m.rebuild, m.rollback, m.retry, m.dismiss, m.page}).Draw(rt, "who")(rt)
	m.hurry = true
	defer func() { m.hurry = false }()
	m.append(rt)
	m.page(rt)
	m.goOn(rt)
}

func (m *machine) goOn(rt *rapid.T) {
	if p := m.busy(rt); p != nil {
		m.advance(rt, p, m.steps(rt), sound)
	}
}

// cut has one connection of a process break; the process lives on.
func (m *machine) cut(rt *rapid.T) {
	p := m.busy(rt)
	if p == nil {
		return
	}
	f, n := drawFault(rt), m.steps(rt)
	rt.Logf("%s loses a connection", p.name)
	m.advance(rt, p, n, f)
}

func (m *machine) die(rt *rapid.T) {
	m.kill(rt, rapid.IntRange(0, len(m.processes)-1).Draw(rt, "slot"), drawFault(rt))
}

// leases ends all leases, those of the living, too: they are frozen, and don't know. (A row that is just being written is
// left alone, for the test itself must not wait.)
func (m *machine) leases(rt *rapid.T) { m.leasesRunOut(rt) }

func (m *machine) leasesRunOut(rt *rapid.T) {
	m.exec(rt, `
		UPDATE shard
		SET lease_until = '-infinity'
		WHERE (source, generation) IN (SELECT source, generation FROM shard FOR NO KEY UPDATE SKIP LOCKED)`)
	m.exec(rt, `
		UPDATE generation
		SET lease_until = '-infinity'
		WHERE generation IN (SELECT generation FROM generation FOR NO KEY UPDATE SKIP LOCKED)`)
}

// work begins a rebuild or the like. That none follows another one within two seconds is not what is tested here.
func (m *machine) work(rt *rapid.T, what string, do func(context.Context, *process) error) {
	p := m.idle(rt)
	if p == nil {
		return
	}
	if m.long != nil {
		m.finishLong(rt)
	}
	m.timeGoesBy(rt)
	m.begin(rt, p, what, func(ctx context.Context) error { return do(ctx, p) }, nil)
	m.advance(rt, p, m.steps(rt), sound)
}

func (m *machine) timeGoesBy(rt *rapid.T) {
	m.exec(rt, `
		UPDATE generation
		SET switched_at = '-infinity'
		WHERE generation IN (SELECT generation FROM generation WHERE switched_at IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED)`)
}

func (m *machine) rebuild(rt *rapid.T) {
	m.work(rt, "rebuild", func(ctx context.Context, p *process) error {
		_, err := p.rebuilder.Rebuild(ctx, nil)
		return err
	})
}

func (m *machine) rollback(rt *rapid.T) {
	m.work(rt, "rollback", func(ctx context.Context, p *process) error {
		_, err := p.rebuilder.Rollback(ctx, nil)
		return err
	})
}

func (m *machine) discard(rt *rapid.T) {
	m.work(rt, "discard", func(ctx context.Context, p *process) error { return p.rebuilder.Discard(ctx) })
}

// drawLetter draws a dead letter of the serving generation, and who is to see to it. If there is none, something else is
// done instead, and it is nil.
func (m *machine) drawLetter(rt *rapid.T) (*process, projection.DeadLetter) {
	letters, err := projection.NewReader(m.pool).DeadLetters(m.t.Context(), "", "", 0, 1000)
	if err != nil {
		rt.Fatal(err)
	}
	if len(letters) == 0 {
		m.page(rt)
		return nil, projection.DeadLetter{}
	}
	return m.idle(rt), rapid.SampledFrom(letters).Draw(rt, "letter")
}

func (m *machine) retry(rt *rapid.T) {
	p, l := m.drawLetter(rt)
	if p == nil {
		return
	}
	m.begin(rt, p, fmt.Sprintf("retry %d of %s", l.Position, l.Source), func(ctx context.Context) error {
		_, err := p.runner.Retry(ctx, l.Source, l.Position)
		return err
	}, nil)
	m.advance(rt, p, m.steps(rt), sound)
}

// dismiss has an event dismissed. A previous generation may have folded it.
func (m *machine) dismiss(rt *rapid.T) {
	p, l := m.drawLetter(rt)
	if p == nil {
		return
	}
	rows, err := m.pool.Query(m.t.Context(), `SELECT generation FROM generation WHERE state = 'previous'`)
	if m.spared[l.Source] == nil {
		m.spared[l.Source] = map[int64][]int{}
	}
	m.spared[l.Source][l.Position] = append(m.spared[l.Source][l.Position], collect[int](rt, rows, err)...)
	m.begin(rt, p, fmt.Sprintf("dismiss %d of %s", l.Position, l.Source), func(ctx context.Context) error {
		_, err := p.runner.Dismiss(ctx, l.Source, l.Position, noon)
		return err
	}, nil)
	m.advance(rt, p, m.steps(rt), sound)
}

// repair may mend the adapter. From then on there is less to go wrong, so it comes late.
func (m *machine) repair(rt *rapid.T) {
	if rapid.IntRange(0, 3).Draw(rt, "mend") == 3 {
		m.mend(rt)
	}
}

// mend replaces the adapter by one that can read everything.
func (m *machine) mend(*rapid.T) {
	m.mended = true
	m.adapter.mended.Store(true)
}

// longLook is a reader who reads a part of an answer, and the rest when it is called for the next time.
func (m *machine) longLook(rt *rapid.T) {
	if m.long != nil {
		m.finishLong(rt)
		return
	}
	m.long = newReader(m.t.Context(), m.reading)
}

func (m *machine) finishLong(rt *rapid.T) {
	seen, err := m.long.finish()
	m.long = nil
	if errors.Is(err, projection.ErrCleared) {
		return
	}
	if err != nil {
		rt.Fatalf("a slow reader sees an error: %v", err)
	}
	m.readLogs(rt)
	m.saw(rt, seen)
}

// verify has the product check itself, as long as that one adapter has folded everything.
func (m *machine) verify(rt *rapid.T) {
	if m.mended { // what was dead by another adapter is a violation
		return
	}
	_, err := projection.Verify(m.t.Context(), m.pool, m.sources, m.models, func(v eventstore.Violation) {
		rt.Errorf("violation: %s %s %d: %s", v.Source, v.Ticket, v.Position, v.What)
	}, projection.VerifyConfig{})
	if err != nil {
		rt.Fatal(err)
	}
}
