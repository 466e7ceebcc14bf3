package query

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// fromProjections are requests for every kind of answer that is read from projections.
var fromProjections = []string{
	"/v1/queues", "/v1/queues?source=city", "/v1/queues?as_of=2026-11-20T07:05:00Z", "/v1/queues?as_of_position=city:2",
	"/v1/queues/city/37338", "/v1/queues/city/37338?as_of=2026-11-20T07:05:00Z",
	"/v1/queues/city/37338/tickets", "/v1/queues/city/37338/tickets?as_of_position=city:5",
	"/v1/tickets", "/v1/tickets?limit=2", "/v1/tickets/city/1", "/v1/tickets/city/2?as_of_position=city:4", "/v1/tickets/city/1/history",
	"/v1/reports/waits?source=city", "/v1/reports/waits?source=city&format=csv", "/v1/reports/waits?source=city&group_by=queue,day",
	"/v1/reports/estimates/backtest?source=city",
}

// statements counts those of a pool.
type statements struct{ n atomic.Int64 }

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.n.Add(1)
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// count has all statements of the door counted from here on, those that open and end transactions too.
func (w *world) count() *statements {
	w.t.Helper()
	cfg := w.pool.Config().Copy()
	counted := &statements{}
	cfg.ConnConfig.Tracer = counted
	pool, err := pgxpool.NewWithConfig(w.t.Context(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(pool.Close)
	w.reader = projection.NewReader(pool)
	w.log = eventstore.New(pool, eventstore.Config{})
	w.mount()
	return counted
}

func TestWhatHoldsIs304AfterOneReadOfTheCheckpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	counted := w.count()
	for _, target := range fromProjections {
		first := w.ask(http.MethodGet, target)
		tag := first.header.Get("ETag")
		if first.status != 200 || len(tag) < 10 || tag[0] != '"' || first.header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: %d, ETag %s, %v", target, first.status, tag, first.header)
		}
		before := counted.n.Load()
		again := w.ask(http.MethodGet, target, "If-None-Match", tag)
		if again.status != 304 || again.body != "" || again.header.Get("ETag") != tag {
			t.Errorf("%s again: %d %s, ETag %s", target, again.status, again.body, again.header.Get("ETag"))
		}
		for _, name := range []string{"Cache-Control", "Vary"} {
			if again.header.Get(name) != first.header.Get(name) {
				t.Errorf("%s again: %s %q, and %q before", target, name, again.header.Get(name), first.header.Get(name))
			}
		}
		if n := counted.n.Load() - before; n != 1 {
			t.Errorf("%s again: %d statements", target, n)
		}
		before = counted.n.Load()
		if a := w.ask(http.MethodGet, joined(target, "min_position=city:9"), "If-None-Match", tag); a.status != 304 || counted.n.Load()-before != 1 {
			t.Errorf("%s once it is folded: %d after %d statements", target, a.status, counted.n.Load()-before)
		}
	}
}

// joined adds a parameter.
func joined(target, parameter string) string {
	if strings.Contains(target, "?") {
		return target + "&" + parameter
	}
	return target + "?" + parameter
}

func TestTagsDifferWhereAnswersDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	seen := map[string]string{}
	add := func(what, target string, header ...string) {
		a := w.ask(http.MethodGet, target, header...)
		tag := a.header.Get("ETag")
		if other, ok := seen[tag]; ok || a.status != 200 {
			t.Errorf("%s, %s: %d, and the tag of %s", what, target, a.status, other)
		}
		seen[tag] = what + " " + target
	}
	for _, target := range fromProjections {
		add("as it is", target)
	}
	add("as CSV by Accept", "/v1/reports/waits?source=city&group_by=day", "Accept", "text/csv")
	add("as JSON by Accept", "/v1/reports/waits?source=city&group_by=day", "Accept", "application/json")
	w.deliver(visitOn("ticket_created", "9", "NEW", 37338, "created", "11:50:00"))
	add("after an event", "/v1/queues")
	w.cfg.Now = func() time.Time { return noon.Add(clockStep) }
	w.mount()
	add("a step later", "/v1/queues")
	w.cfg.Build = "another"
	w.mount()
	add("by another binary", "/v1/queues")
	w.cfg.Sources[0].Queues = map[string]QueueInfo{"37338": {Name: "Papers"}}
	w.mount()
	add("with another configuration", "/v1/queues")
	w.exec(`UPDATE shard SET epoch = epoch + 1 WHERE source = 'city'`)
	add("after a retry", "/v1/queues")
}

// exec changes what the door reads behind its back.
func (w *world) exec(sql string) {
	w.t.Helper()
	if _, err := w.pool.Exec(w.t.Context(), sql); err != nil {
		w.t.Fatal(err)
	}
}

func TestTheSwitchOfGenerationsChangesTheTag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	tag := w.ask(http.MethodGet, "/v1/queues").header.Get("ETag")
	w.exec(`UPDATE generation SET state = 'previous'`)
	w.exec(`INSERT INTO generation (generation, state, fingerprint, created_at) VALUES (1, 'serving', '', now())`)
	w.deliver()
	w.exec(`UPDATE shard SET epoch = 1`)
	if a := w.ask(http.MethodGet, "/v1/queues", "If-None-Match", tag); a.status != 200 || a.header.Get("ETag") == tag {
		t.Errorf("%d %s", a.status, a.header.Get("ETag"))
	}
}

// Only what moves with the clock gets a new tag from it, and then at the beginning of a step.
func TestTheClockMovesWhatMovesWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	ask := func(target string, now time.Time) answer {
		w.cfg.Now = func() time.Time { return now }
		w.mount()
		return w.ask(http.MethodGet, target)
	}
	for target, moves := range map[string]bool{
		"/v1/queues": true, "/v1/queues/city/37338": true, "/v1/queues/city/37338/tickets": true, "/v1/tickets": true, "/v1/tickets/city/2": true,
		"/v1/queues?as_of=2026-11-20T07:05:00Z": false, "/v1/queues?as_of_position=city:9": false, "/v1/tickets/city/2?as_of_position=city:4": false,
		"/v1/tickets/city/1/history": false, "/v1/reports/waits?source=city": false,
	} {
		first, same, later := ask(target, noon), ask(target, noon.Add(clockStep-1)), ask(target, noon.Add(clockStep))
		if first.header.Get("ETag") != same.header.Get("ETag") || first.body != same.body {
			t.Errorf("%s differs within a step", target)
		}
		if moved := first.header.Get("ETag") != later.header.Get("ETag"); moved != moves {
			t.Errorf("%s moves with the clock: %t, want %t", target, moved, moves)
		}
	}
	const window = "/v1/reports/waits?source=city"
	if a, b := ask(window, noon), ask(window, noon.Add(24*time.Hour)); a.header.Get("ETag") == b.header.Get("ETag") {
		t.Error("the default window moved on, and the tag did not")
	}
}

func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	tag := w.ask(http.MethodGet, "/v1/queues").header.Get("ETag")
	for header, status := range map[string]int{
		tag: 304, "W/" + tag: 304, `"other", ` + tag: 304, `"a,b",W/"c" ,` + tag + `, "d"`: 304, "*": 304, " * ": 304,
		"": 200, `"other"`: 200, strings.Trim(tag, `"`): 200, "W/": 200, `"`: 200, `nonsense, ` + tag: 200, tag[:5]: 200, `w/` + tag: 200,
	} {
		if a := w.ask(http.MethodGet, "/v1/queues", "If-None-Match", header); a.status != status {
			t.Errorf("%q: %d, want %d", header, a.status, status)
		}
		if a := w.ask(http.MethodHead, "/v1/queues", "If-None-Match", header); a.status != status {
			t.Errorf("HEAD %q: %d, want %d", header, a.status, status)
		}
	}
	for _, target := range []string{"/v1/tickets/city/99", "/v1/queues/city/1"} {
		if a := w.ask(http.MethodGet, target, "If-None-Match", "*"); a.status != 404 || a.header.Get("ETag") != "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s does not exist: %d %v", target, a.status, a.header)
		}
	}
}

// What is not of the read models alone has its own bytes for a tag.
func TestOtherAnswersHaveTagsOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for _, target := range []string{"/v1/events?source=city", "/v1/sources", "/v1/projections", "/v1/dead-letters", "/v1/quarantine", "/v1/quarantine/city/9", "/v1/sources/city/rejections"} {
		tag := w.ask(http.MethodGet, target).header.Get("ETag")
		if a := w.ask(http.MethodGet, target, "If-None-Match", tag); tag == "" || a.status != 304 {
			t.Errorf("%s: %q, then %d", target, tag, a.status)
		}
	}
	tag := w.ask(http.MethodGet, "/v1/events?source=city").header.Get("ETag")
	w.deliver(visitOn("ticket_created", "9", "NEW", 37338, "created", "11:50:00"))
	if a := w.ask(http.MethodGet, "/v1/events?source=city", "If-None-Match", tag); a.status != 200 {
		t.Errorf("after another event: %d", a.status)
	}
}

func FuzzIfNoneMatch(f *testing.F) {
	for _, s := range []string{`"a"`, `W/"a", "b"`, "*", `"a`, `W/`, `,,"a"`, `"a" "b"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := readKnown(s)
		for _, tag := range k.tags {
			if len(tag) < 2 || strings.Count(tag, `"`) != 2 || !strings.Contains(s, tag) {
				t.Errorf("%q reads as %q", s, k.tags)
			}
		}
		if !k.any && len(k.tags) > 0 && !cmp.Equal(readKnown(strings.Join(k.tags, ",")).tags, k.tags) {
			t.Errorf("%q reads as %q, which reads as something else", s, k.tags)
		}
	})
}

// Equal tags mean equal bytes, whatever is folded meanwhile.
func TestEqualTagsMeanEqualBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	var clock atomic.Int64
	w.cfg.Now = func() time.Time { return noon.Add(time.Duration(clock.Add(1)) * 100 * time.Millisecond) }
	w.mount()
	stop := make(chan struct{})
	var folding, asking sync.WaitGroup
	folding.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			w.deliver(visitOn("ticket_created", fmt.Sprint(100+i), "NEW", 37338+i%2, "created", fmt.Sprintf("11:%02d:%02d", i/60%60, i%60)))
		}
	})
	var mu sync.Mutex
	bodies := map[string]string{}
	repeated := 0
	for worker := range uint64(4) {
		random := rand.New(rand.NewPCG(worker, 7))
		asking.Go(func() {
			for range 100 {
				target := fromProjections[random.IntN(len(fromProjections))]
				a := w.ask(http.MethodGet, target)
				mu.Lock()
				tag := a.header.Get("ETag")
				body, ok := bodies[tag]
				if ok {
					repeated++
				}
				if a.status != 200 || ok && body != a.body {
					t.Errorf("%s: %d, another answer with the tag %s:\n%s", target, a.status, tag, cmp.Diff(body, a.body))
				}
				bodies[tag] = a.body
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	close(stop)
	folding.Wait()
	if repeated == 0 || len(bodies) < 50 {
		t.Errorf("%d tags, %d of them seen again: nothing was compared", len(bodies), repeated)
	}
}

func TestCursorsOutliveMinPosition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	next := w.get("/v1/tickets?limit=1&min_position=city:9")["next"].(string)
	if a := w.ask(http.MethodGet, "/v1/tickets?limit=1&cursor="+url.QueryEscape(next)); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}
