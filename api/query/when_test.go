package query

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// At each position the door answers what it would have answered then, had it been asked.
func TestAsOfPositionIsTheAnswerOfThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	targets := []string{"/v1/queues?source=city", "/v1/queues/city/37338", "/v1/queues/city/37338/tickets", "/v1/queues/city/37339/tickets?status=called", "/v1/tickets/city/1", "/v1/tickets/city/2"}
	then := map[string]map[string]any{}
	log := append(morning(),
		visitOn("ticket_called", "3", "CALLED", 37338, "created", "11:30:00.750", "called", "11:40:00"),
		visitOn("ticket_changed", "3", "CALLED", 37338, "created", "11:30:00.750", "called", "11:40:00"),
		visitOn("ticket_changed", "2", "NEW", 37339, "created", "11:00:00"),
		visitOn("ticket_created", "5", "NEW", 37338, "created", "11:50:00"),
		visitOn("ticket_created", "6", "NEW", 37338, "created", "11:51:00"))
	estimated := false
	for i, body := range log {
		w.deliver(body)
		for _, target := range targets {
			if a := w.ask(http.MethodGet, target); a.status == 200 {
				then[told(target, i+1)] = w.get(target)
				estimated = estimated || w.get(target)["estimate"] != nil
			}
		}
	}
	for i := range log {
		for _, target := range targets {
			past := told(target, i+1)
			want, ok := then[past]
			if a := w.ask(http.MethodGet, past); !ok && a.status != 404 && !strings.HasPrefix(target, "/v1/queues") {
				t.Errorf("%s: %d, and then it was not there", past, a.status)
			}
			if !ok {
				continue
			}
			got := w.get(past)
			if target == "/v1/queues?source=city" { // of all queues, estimates are told for now only
				for _, q := range items(t, want) {
					q["estimate"] = nil
				}
			}
			if diff := cmp.Diff(map[string]any{"city": float64(i + 1)}, got["as_of_position"]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", past, diff)
			}
			if diff := cmp.Diff(timeless(want), timeless(got)); diff != "" {
				t.Errorf("%s (-then +now):\n%s", past, diff)
			}
		}
	}
	if !estimated {
		t.Error("no estimate was ever told: the test proves little")
	}
}

// told asks a question as of a position of city's log.
func told(target string, position int) string {
	return joined(target, "as_of_position="+url.QueryEscape("city:"+decimal(int64(position))))
}

// timeless is an answer without what answers about the past leave out, and queues that nobody stood in, which a queue
// unheard of by then is among.
func timeless(v map[string]any) map[string]any {
	for _, key := range []string{"positions", "as_of_position", "served_today", "last_event_at"} {
		delete(v, key)
	}
	list, _ := v["items"].([]any)
	var kept []any
	for _, item := range list {
		q := timeless(item.(map[string]any))
		if q["waiting"] != 0.0 || q["called"] != 0.0 {
			kept = append(kept, q)
		}
	}
	if list != nil {
		v["items"] = kept
	}
	return v
}

func TestRunningTimesAreThoseOfThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...) // all received at noon
	w.cfg.Now = func() time.Time { return noon.Add(time.Hour) }
	w.mount()
	holds(t, "the ticket", w.get("/v1/tickets/city/2?as_of_position=city:4"), map[string]any{"status": "waiting", "wait_seconds": 3600.0})
	holds(t, "its queue", w.get("/v1/queues/city/37338?as_of_position=city:9"), map[string]any{
		"waiting": 2.0, "longest_wait_seconds": 3600.0, "served_today": nil, "last_event_at": nil, "name": "Passports",
	})
	holds(t, "the ticket now", w.get("/v1/tickets/city/2"), map[string]any{"wait_seconds": 7200.0})
}

func TestAnAnswerAsOfPositionsIsAboutTheSourcesNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Sources[1].Queues = map[string]QueueInfo{"desk": {}}
	w.mount()
	w.deliver(morning()...)
	if got := len(items(t, w.get("/v1/queues"))); got != 4 {
		t.Fatalf("%d queues in all", got)
	}
	for _, q := range items(t, w.get("/v1/queues?as_of_position=city:9")) {
		if q["source"] != "city" {
			t.Errorf("%v is told of", q)
		}
	}
	v := w.get("/v1/tickets/city/1?as_of_position=city:1")
	holds(t, "the ticket", v, map[string]any{"status": "waiting", "as_of_position": map[string]any{"city": 1.0}, "positions": map[string]any{"city": 9.0, "store": 0.0}})
}

func TestQueueTicketsAsOfAnInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for asOf, want := range map[string]string{
		"2026-11-20T06:59:59Z": "", "2026-11-20T07:05:00Z": "1 waiting 300", "2026-11-20T07:15:00Z": "1 called 600", "2026-11-20T07:20:00Z": "",
		"2026-11-20T11:20:00Z": "2 waiting 1200", "2026-11-20T11:31:00Z": "2 waiting 1860, 3 waiting 60",
	} {
		v := w.get("/v1/queues/city/37338/tickets?as_of=" + asOf)
		var got []string
		for _, ticket := range items(t, v) {
			seconds, _ := ticket["wait_seconds"].(float64)
			got = append(got, ticket["ticket"].(string)+" "+ticket["status"].(string)+" "+decimal(int64(seconds)))
		}
		if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" || v["as_of"] != asOf {
			t.Errorf("%s, as of %v (-want +got):\n%s", asOf, v["as_of"], diff)
		}
	}
	if got := len(items(t, w.get("/v1/queues/city/37338/tickets?as_of=2026-11-20T11:31:00Z&status=called"))); got != 0 {
		t.Errorf("%d called", got)
	}
}

func TestMinPositionWaits(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/v1/tickets/city/2?min_position=city:4", "/v1/tickets/city/2?as_of_position=city:4"} {
		w := newWorld(t)
		w.deliver(morning()[0])
		answered := make(chan answer)
		go func() { answered <- w.ask(http.MethodGet, target) }()
		w.deliver(morning()[1:4]...)
		if a := <-answered; a.status != 200 {
			t.Errorf("%s: %d %s", target, a.status, a.body)
		}
	}
}

// What is not folded within two seconds says how far it is, and when to ask again.
func TestMinPositionGivesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()[0])
	for _, target := range []string{"/v1/queues?min_position=city:5", "/v1/queues?as_of_position=city:5,store:1", "/v1/queues?min_position=city:1&as_of_position=city:5"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			a := w.ask(http.MethodGet, target)
			p := problemOf(t, a)
			if a.status != 503 || p.Type != "/problems/not-folded" || a.header.Get("Retry-After") != "1" {
				t.Errorf("%d %v %s", a.status, a.header, a.body)
			}
			if !strings.Contains(p.Detail, "city is folded through 1, 4 short of 5") {
				t.Error(p.Detail)
			}
		})
	}
}

func TestWrongPositions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for query, says := range map[string]string{
		"min_position=7": `"7"`, "min_position=city": "SOURCE:POSITION", "min_position=city:": "SOURCE:POSITION", "min_position=:7": "city, store",
		"min_position=city:-1": "from 0", "min_position=city:%2B7": `"city:+7"`, "min_position=city:07": `"city:07"`, "min_position=city:7,": `""`,
		"min_position=city:7,city:8": "city twice", "min_position=elsewhere:7": "city, store", "min_position=city:9223372036854775808": "9223372036854775807",
		"min_position=city:%207": "SOURCE:POSITION", "min_position=city:1:2": "SOURCE:POSITION", "as_of_position=city:0": "from 1", "as_of_position=x": "SOURCE:POSITION",
		"as_of_position=city:1&as_of=2026-11-20T07:05:00Z": "give one of them", "as_of_position=store:1&source=city": "position of city",
	} {
		name, _, _ := strings.Cut(query, "=")
		p := problemOf(t, w.ask(http.MethodGet, "/v1/queues?"+query))
		if p.Status != 400 || len(p.Errors) != 1 || p.Errors[0].Pointer != "/query/"+name || !strings.Contains(p.Detail, says) {
			t.Errorf("%s: %+v, want %q", query, p, says)
		}
	}
	for _, target := range []string{"/v1/tickets/city/1", "/v1/queues/city/1", "/v1/queues/city/1/tickets"} {
		if p := problemOf(t, w.ask(http.MethodGet, target+"?as_of_position=store:1")); p.Status != 400 || !strings.Contains(p.Detail, "position of city") {
			t.Errorf("%s: %+v", target, p)
		}
	}
}

func TestATicketUntoldIs404(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for _, target := range []string{"/v1/tickets/city/2?as_of_position=city:3", "/v1/tickets/city/99?as_of_position=city:3"} {
		if p := problemOf(t, w.ask(http.MethodGet, target)); p.Status != 404 || p.Type != "/problems/unknown-ticket" {
			t.Errorf("%s: %+v", target, p)
		}
	}
}

func FuzzVector(f *testing.F) {
	d := New(nil, nil, Config{Sources: []SourceInfo{{Name: "city"}, {Name: "store"}}})
	for _, s := range []string{"city:1", "city:1,store:2", "city:1,city:2", ",", "city:01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var p parser
		got := d.vector(&p, "x", vector(s), 0)
		if p.err() != nil {
			return
		}
		var parts []string
		for part := range strings.SplitSeq(s, ",") {
			source, _, _ := strings.Cut(part, ":")
			if s != "" {
				parts = append(parts, source+":"+decimal(got[source]))
			}
		}
		if written := strings.Join(parts, ","); written != s || len(got) > 2 {
			text, _ := json.Marshal(got)
			t.Errorf("%q reads as %s", s, text)
		}
	})
}
