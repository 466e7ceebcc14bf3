package bench

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/eventstore/ticket"
)

// slow takes so long for each thing it does.
func slow(d time.Duration) sender {
	return func(context.Context) error { sleepUntil(context.Background(), time.Now().Add(d)); return nil }
}

func TestClosedLoopSendsWhenAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		load, err := run(t.Context(), []sender{slow(10 * time.Millisecond), slow(20 * time.Millisecond)}, nil, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if load.Done != 150 || load.PerSecond() != 150 {
			t.Errorf("done %d, %.1f/s; want 100 of the one and 50 of the other", load.Done, load.PerSecond())
		}
		if p50 := load.Latencies.P50.Round(time.Millisecond); p50 != 10*time.Millisecond {
			t.Errorf("p50 = %s, want 10ms", p50)
		}
	})
}

// A server that stalls makes what was due meanwhile late: the latencies say so, though each answer was quick.
func TestOpenLoopHidesNoStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		stalls := func(context.Context) error {
			if now := time.Since(began); now > warmUp && now < warmUp+500*time.Millisecond {
				sleepUntil(context.Background(), began.Add(warmUp+500*time.Millisecond))
			}
			return nil
		}
		load, err := run(t.Context(), []sender{stalls}, paced(1, 100), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if load.Done < 99 || load.Done > 101 {
			t.Errorf("done %d, want the 100 that were due", load.Done)
		}
		if p50 := load.Latencies.P50; p50 > 50*time.Millisecond {
			t.Errorf("p50 = %s: half of them were after the stall", p50)
		}
		if p99 := load.Latencies.P99; p99 < 450*time.Millisecond {
			t.Errorf("p99 = %s: the stall of 500ms was hidden", p99)
		}
	})
}

func TestFirstFailureEndsALoad(t *testing.T) {
	t.Parallel()
	failure := errors.New("refused")
	_, err := run(t.Context(), []sender{slow(time.Millisecond), func(context.Context) error { return failure }}, nil, time.Hour)
	if !errors.Is(err, failure) {
		t.Errorf("error %v, want %v", err, failure)
	}
}

// What the bench sends is what the adapter reads: visitors who come, are called and served.
func TestVisitsAreQminders(t *testing.T) {
	t.Parallel()
	adapter, err := qminder.New(source.Config{PublicURL: "https://x.example", Secrets: []source.Secret{{Name: "a", Value: []byte("a secret of some length")}}})
	if err != nil {
		t.Fatal(err)
	}
	v := &visits{next: 7, stride: 3, crowd: 4, began: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	tickets := map[string]ticket.Ticket{}
	for n := range int64(300) {
		row := v.row()
		id := adapter.Identify(row.Body)
		if id.Ticket != row.Ticket || id.Type != row.Type || id.Quarantine != "" {
			t.Fatalf("%s reads as %+v", row.Body, id)
		}
		decoded, err := adapter.Decode(row.Body)
		if err != nil {
			t.Fatal(err)
		}
		o := *decoded.Ticket
		o.Position, o.ReceivedAt = n+1, v.began
		tickets[row.Ticket], _ = ticket.Apply(tickets[row.Ticket], o)
	}
	served := 0
	for id, after := range tickets {
		if len(after.Flags) > 0 {
			t.Errorf("ticket %s has flags %v", id, after.Flags)
		}
		if after.Status == ticket.StatusServed {
			served++
		}
	}
	if len(tickets) != 102 || served != 99 {
		t.Errorf("%d visitors, %d of them served; want 102 and 99", len(tickets), served)
	}
}

func TestResultIsMedians(t *testing.T) {
	t.Parallel()
	load := func(done int64) Load { return Load{Connections: 8, Done: done, Took: time.Second} }
	r := Result{
		Levels: []Level{{
			Connections: 8,
			Door:        []Load{load(100), load(300), load(200)},
			Yardstick:   []Load{load(100), load(100), load(400)},
			Memory:      []int64{10 << 20, 30 << 20, 20 << 20},
		}},
		Append: Append{Log: []float64{60, 50, 70}, Bare: []float64{100, 100, 100}},
	}
	var table, text bytes.Buffer
	if err := errors.Join(r.WriteTable(&table), r.WriteJSON(&text)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"closed            8      -         200", "100   1.00        30", "ratio 0.60"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &table)
		}
	}
	for _, want := range []string{`"webhooks_per_second": 200`, `"ratio": 1`, `"ratio": 0.6`, `"server_peak_bytes": 31457280`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the JSON lacks %s:\n%s", want, &text)
		}
	}
}
