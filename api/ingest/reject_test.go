package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"queuetrack/api"
	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

// refused sends a spoiled delivery straight to the door, and returns how it was described.
func refused(t *testing.T, cfg Config, spoil func(*http.Request)) (int, eventstore.Rejection) {
	t.Helper()
	log := &fakeLog{}
	cfg.Now = clock
	r := request(t, "", created)
	spoil(r)
	w := httptest.NewRecorder()
	New(log, sources(t), cfg).ServeHTTP(w, r)
	if len(log.described) != 1 {
		t.Fatalf("described %+v, want one", log.described)
	}
	return w.Code, log.described[0]
}

func TestRejectionsAreDescribed(t *testing.T) {
	t.Parallel()
	digest := sha256.Sum256([]byte(created))
	names := []string{"Content-Type", "X-Qminder-Signature"}
	length := int64(len(created))
	for name, c := range map[string]struct {
		spoil  func(*http.Request)
		status int
		want   eventstore.Rejection
	}{
		"signature": {
			func(r *http.Request) { r.Header.Set("X-Qminder-Signature", "guess") }, 401,
			eventstore.Rejection{Cause: "signature", Method: "POST", Headers: names, Digest: digest[:], Size: length},
		},
		"chunked": {
			func(r *http.Request) { r.Header.Del("X-Qminder-Signature"); r.ContentLength = -1 }, 401,
			eventstore.Rejection{Cause: "signature", Method: "POST", Headers: names[:1], Digest: digest[:], Size: length},
		},
		"method, claimed": {
			func(r *http.Request) { r.Method, r.ContentLength = "PUT", 7 }, 405,
			eventstore.Rejection{Cause: "method", Method: "PUT", Headers: names, Size: 7},
		},
		"content type, chunked": {
			func(r *http.Request) { r.Header.Set("Content-Type", "text/plain"); r.ContentLength = -1 }, 415,
			eventstore.Rejection{Cause: "content_type", Method: "POST", Headers: names, Size: -1},
		},
		"too large by its own word": {
			func(r *http.Request) { r.ContentLength = 1 << 40 }, 413,
			eventstore.Rejection{Cause: "too_large", Method: "POST", Headers: names, Size: 1 << 40},
		},
		"too large, chunked": {
			func(r *http.Request) {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", 2*MaxBody))), -1
			}, 413,
			eventstore.Rejection{Cause: "too_large", Method: "POST", Headers: names, Size: MaxBody + 1},
		},
		"truncated": {
			func(r *http.Request) { r.Body = io.NopCloser(brokenBody{strings.NewReader(created[:20])}) }, 400,
			eventstore.Rejection{Cause: "truncated", Method: "POST", Headers: names, Size: 20},
		},
	} {
		status, got := refused(t, Config{}, c.spoil)
		c.want.ReceivedAt = now
		if diff := cmp.Diff(c.want, got); diff != "" || status != c.status {
			t.Errorf("%s: %d, want %d; described (-want +got):\n%s", name, status, c.status, diff)
		}
	}
	status, got := refused(t, Config{MaxInFlightBytes: 1}, func(*http.Request) {})
	want := eventstore.Rejection{ReceivedAt: now, Cause: "busy", Method: "POST", Headers: names, Size: length}
	if diff := cmp.Diff(want, got); diff != "" || status != 503 {
		t.Errorf("no room: %d; described (-want +got):\n%s", status, diff)
	}
}

// What was authentic and could not be kept is described with its digest: it can be found at the vendor.
func TestABusyLogsRejectionIsDescribed(t *testing.T) {
	t.Parallel()
	log := &fakeLog{append: func(context.Context) (eventstore.Receipt, error) { return eventstore.Receipt{}, eventstore.ErrBusy }}
	New(log, sources(t), Config{Now: clock}).ServeHTTP(httptest.NewRecorder(), request(t, "", created))
	digest := sha256.Sum256([]byte(created))
	if len(log.described) != 1 || log.described[0].Cause != "busy" || !bytes.Equal(log.described[0].Digest, digest[:]) {
		t.Errorf("described %+v", log.described)
	}
}

// A log line says what became of a delivery, and never what it held.
func TestLogLinesSayWhatBecameOfADelivery(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	r := api.NewRouter(slog.New(slog.NewJSONHandler(&lines, nil)))
	r.Handle(Prefix+"*", New(&fakeLog{}, sources(t), Config{Now: clock}))
	for _, c := range []struct {
		what  string
		spoil func(*http.Request)
		want  map[string]any
	}{
		{"accepted", func(*http.Request) {}, map[string]any{"status": 200.0, "source": "city", "result": "accepted", "position": 1.0}},
		{"forged", func(r *http.Request) { r.Header.Set("X-Qminder-Signature", "guess") }, map[string]any{"status": 401.0, "source": "city", "cause": "signature"}},
		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, map[string]any{"status": 415.0, "source": "city", "cause": "content_type"}},
		{"unknown", func(r *http.Request) { r.URL.Path = "/webhooks/elsewhere" }, map[string]any{"status": 404.0, "cause": "unknown_source"}},
	} {
		lines.Reset()
		request := request(t, "", created)
		c.spoil(request)
		r.ServeHTTP(httptest.NewRecorder(), request)
		if strings.Contains(lines.String(), "guess") || strings.Contains(lines.String(), "37338") {
			t.Errorf("%s: the line shows what was sent: %s", c.what, lines.String())
		}
		var got map[string]any
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v in %s", c.what, err, lines.String())
		}
		others := cmpopts.IgnoreMapEntries(func(k string, _ any) bool {
			return !strings.Contains(" status source result position cause ", " "+k+" ")
		})
		if diff := cmp.Diff(c.want, got, others); diff != "" {
			t.Errorf("%s: line (-want +got):\n%s", c.what, diff)
		}
	}
}

// Strangers' requests cost the database nothing before the next second, and then little.
func TestAFloodAtTheDoorIsCountedAndSampled(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	log := eventstore.New(pool, eventstore.Config{})
	door := New(log, sources(t), Config{Now: clock})
	before := pool.Stat().AcquireCount()
	for i := range 10_000 {
		r := request(t, "", created)
		r.Header.Set("X-Qminder-Signature", "guess")
		if i%100 == 0 {
			r.Header = http.Header{"X-N\x00l-\xff": {"x"}} // what no server lets through, and no database takes
		}
		door.ServeHTTP(httptest.NewRecorder(), r)
	}
	if got := pool.Stat().AcquireCount() - before; got != 0 {
		t.Errorf("%d connections taken for requests that did not verify", got)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := log.Run(ended); err != nil { // writes once, and returns
		t.Fatal(err)
	}
	stats, err := log.Stats(t.Context(), []string{"city"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int64{"signature": 9900, "content_type": 100}, stats[0].Rejected); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	all, err := log.Rejections(t.Context(), "city")
	if err != nil || len(all) == 0 || len(all) > eventstore.KeptRejections {
		t.Errorf("kept %d, %v", len(all), err)
	}
}
