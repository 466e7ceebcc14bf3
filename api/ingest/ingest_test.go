package ingest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"queuetrack/api"
	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

func TestAcceptedDelivery(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	server := start(t, log, Config{})
	got := send(t, request(t, server.URL, created))
	if got.status != 200 || got.body != `{"status":"accepted","position":1}` || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("answer %+v", got)
	}
	want := []eventstore.Delivery{{
		Ticket: "1", Type: "ticket_created", OccurredAt: time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC), ReceivedAt: now,
		Body: []byte(created), VerifiedBy: "literal-1",
	}}
	kept, _ := log.seen()
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

func TestTheOldSecretIsGoodWhileItLasts(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	server := start(t, log, Config{})
	r := request(t, server.URL, created)
	r.Header.Set("X-Qminder-Signature", sign(oldSecret, created))
	if got := send(t, r); got.status != 200 {
		t.Errorf("answer %+v", got)
	}
	if kept, _ := log.seen(); len(kept) != 1 || kept[0].VerifiedBy != "literal-2" {
		t.Errorf("kept %+v, want one verified by the old secret", kept)
	}
}

func TestBadSignaturesGetOneConstantAnswerAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	good := sign(newSecret, created)
	var answers []string
	log := &fakeLog{}
	server := start(t, log, Config{})
	for name, spoil := range map[string]func(http.Header){
		"wrong":              func(h http.Header) { h.Set("X-Qminder-Signature", sign("another-secret", created)) },
		"missing":            func(h http.Header) { h.Del("X-Qminder-Signature") },
		"empty":              func(h http.Header) { h.Set("X-Qminder-Signature", "") },
		"truncated":          func(h http.Header) { h.Set("X-Qminder-Signature", good[:len(good)-1]) },
		"upper case":         func(h http.Header) { h.Set("X-Qminder-Signature", strings.ToUpper(good)) },
		"other encoding":     func(h http.Header) { h.Set("X-Qminder-Signature", base64Of(good)) },
		"twice":              func(h http.Header) { h.Add("X-Qminder-Signature", good) },
		"without the URL":    func(h http.Header) { h.Set("X-Qminder-Signature", signBody(created)) },
		"in another header":  func(h http.Header) { h.Del("X-Qminder-Signature"); h.Set("X-Signature", good) },
		"of another body":    func(h http.Header) { h.Set("X-Qminder-Signature", sign(newSecret, created+" ")) },
		"prefixed sha256=":   func(h http.Header) { h.Set("X-Qminder-Signature", "sha256="+good) },
		"with a proxied URL": func(h http.Header) { h.Set("X-Forwarded-Host", "hooks.example.com"); h.Del("X-Qminder-Signature") },
	} {
		r := request(t, server.URL, created)
		spoil(r.Header)
		got := send(t, r)
		if got.status != 401 || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: answer %+v, want 401", name, got)
		}
		answers = append(answers, got.body)
	}
	for _, a := range answers {
		if a != answers[0] {
			t.Errorf("answers differ:\n%s\n%s", answers[0], a)
		}
	}
	kept, rejected := log.seen()
	if len(kept) != 0 || rejected["city rejected signature"] != len(answers) {
		t.Errorf("kept %v, rejected %v, want nothing kept and %d rejections", kept, rejected, len(answers))
	}
}

// base64Of writes the same digest in another encoding.
func base64Of(digest string) string {
	raw, err := hex.DecodeString(digest)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func signBody(body string) string {
	mac := hmac.New(sha256.New, []byte(newSecret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestAnswersBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	server := start(t, log, Config{})
	for name, c := range map[string]struct {
		spoil  func(*http.Request)
		status int
		cause  Cause
	}{
		"unknown source": {func(r *http.Request) { r.URL.Path = "/webhooks/elsewhere" }, 404, ""},
		"unknown source by GET": {func(r *http.Request) {
			r.URL.Path, r.Method, r.Body, r.ContentLength = "/webhooks/elsewhere", http.MethodGet, nil, 0
		}, 404, ""},
		"no source":         {func(r *http.Request) { r.URL.Path = "/webhooks/" }, 404, ""},
		"trailing slash":    {func(r *http.Request) { r.URL.Path = "/webhooks/city/" }, 404, ""},
		"encoded slash":     {func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/webhooks/ci/ty", "/webhooks/ci%2Fty" }, 404, ""},
		"upper case":        {func(r *http.Request) { r.URL.Path = "/webhooks/City" }, 404, ""},
		"GET":               {func(r *http.Request) { r.Method = http.MethodGet }, 405, CauseMethod},
		"HEAD":              {func(r *http.Request) { r.Method = http.MethodHead }, 405, CauseMethod},
		"PUT":               {func(r *http.Request) { r.Method = http.MethodPut }, 405, CauseMethod},
		"form":              {func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415, CauseContentType},
		"no content type":   {func(r *http.Request) { r.Header.Del("Content-Type") }, 415, CauseContentType},
		"two content types": {func(r *http.Request) { r.Header.Add("Content-Type", "text/plain") }, 415, CauseContentType},
		"nearly JSON":       {func(r *http.Request) { r.Header.Set("Content-Type", "application/jsonp") }, 415, CauseContentType},
		"gzip":              {func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415, CauseEncoding},
		"identity":          {func(r *http.Request) { r.Header.Set("Content-Encoding", "identity") }, 415, CauseEncoding},
	} {
		_, before := log.seen()
		count := before["city rejected "+string(c.cause)]
		r := request(t, server.URL, created)
		c.spoil(r)
		got := send(t, r)
		if got.status != c.status {
			t.Errorf("%s: answer %+v, want %d", name, got, c.status)
		}
		if c.status == 405 && got.header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow %q", name, got.header.Get("Allow"))
		}
		if _, after := log.seen(); c.cause != "" && after["city rejected "+string(c.cause)] != count+1 {
			t.Errorf("%s: not counted as %s: %v", name, c.cause, after)
		}
	}
	kept, rejected := log.seen()
	if len(kept) != 0 {
		t.Errorf("kept %v", kept)
	}
	for key := range rejected {
		if !strings.HasPrefix(key, "city ") {
			t.Errorf("%q counts for a source that isn't configured", key)
		}
	}
}

func TestJSONContentTypes(t *testing.T) {
	t.Parallel()
	server := start(t, &fakeLog{}, Config{})
	for _, contentType := range []string{
		"application/json", "application/json; charset=utf-8", "Application/JSON", "application/json;charset=", "application/cloudevents+json",
	} {
		r := request(t, server.URL, created)
		r.Header.Set("Content-Type", contentType)
		if got := send(t, r); got.status != 200 {
			t.Errorf("%s: %+v", contentType, got)
		}
	}
}

func TestPercentEncodedNameIsTheSameSource(t *testing.T) {
	t.Parallel()
	server := start(t, &fakeLog{}, Config{})
	r := request(t, server.URL, created)
	r.URL.RawPath, r.URL.Path = "/webhooks/%63ity", "/webhooks/city"
	if got := send(t, r); got.status != 200 {
		t.Errorf("%+v", got)
	}
}

// Named after CVE-2024-40634, CVE-2026-42294 and Convoy's cut bodies.
func TestBodiesOverTheLimitAreRefusedNotCut(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	server := start(t, log, Config{})
	body := `{"type":"x","pad":"` + strings.Repeat("x", MaxBody-len(`{"type":"x","pad":""}`)) + `"}`
	for name, c := range map[string]struct {
		body    string
		chunked bool
		status  int
	}{
		"the limit":              {body, false, 200},
		"the limit, chunked":     {body, true, 200},
		"a byte more":            {body + " ", false, 413},
		"a byte more, chunked":   {body + " ", true, 413},
		"a lot more":             {strings.Repeat(body, 3), false, 413},
		"a lot more, chunked":    {strings.Repeat(body, 3), true, 413},
		"nothing, chunked":       {"", true, 200},
		"nothing, with a length": {"", false, 200},
	} {
		r := request(t, server.URL, c.body)
		if c.chunked {
			r.Body, r.ContentLength, r.GetBody = io.NopCloser(strings.NewReader(c.body)), -1, nil
		}
		if got := send(t, r); got.status != c.status {
			t.Errorf("%s: %d, want %d", name, got.status, c.status)
		}
	}
	kept, rejected := log.seen()
	if len(kept) != 4 || rejected["city rejected too_large"] != 4 {
		t.Errorf("kept %d, rejected %v, want 4 and 4", len(kept), rejected)
	}
}

// brokenBody ends in the middle.
type brokenBody struct{ io.Reader }

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestATruncatedBodyWritesNothing(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	h := New(log, sources(t), Config{})
	r := request(t, "", created)
	r.Body = io.NopCloser(brokenBody{strings.NewReader(created[:20])})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	kept, rejected := log.seen()
	if w.Code != 400 || len(kept) != 0 || rejected["city rejected truncated"] != 1 {
		t.Errorf("answer %d, kept %v, rejected %v", w.Code, kept, rejected)
	}
}

func TestASlowBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	server := start(t, log, Config{ReadTimeout: 50 * time.Millisecond})
	reader, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	r := request(t, server.URL, created)
	r.Body, r.ContentLength, r.GetBody = reader, int64(len(created)), nil
	go func() { _, _ = io.WriteString(writer, created[:20]) }() // and no more
	if got := send(t, r); got.status != 408 {
		t.Errorf("answer %+v, want 408", got)
	}
	if kept, rejected := log.seen(); len(kept) != 0 || rejected["city rejected slow"] != 1 {
		t.Errorf("kept %v, rejected %v", kept, rejected)
	}
}

func TestWhatIsAuthenticIsNeverRefused(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"not JSON":              `{"type":`,
		"not an object":         `[1,2]`,
		"without its ticket":    `{"type":"ticket_created","data":{"status":"NEW"}}`,
		"nothing":               ``,
		"not UTF-8":             "{\"type\":\"\xff\"}",
		"a NUL in the ticket":   `{"type":"ticket_created","data":{"id":"1\u0000","status":"NEW"}}`,
		"nested without an end": strings.Repeat(`[`, 100_000),
	} {
		log := &fakeLog{}
		server := start(t, log, Config{})
		if got := send(t, request(t, server.URL, body)); got.status != 200 || got.body != `{"status":"quarantined","position":1}` {
			t.Errorf("%s: answer %+v, want it quarantined", name, got)
		}
		if kept, _ := log.seen(); len(kept) != 1 || string(kept[0].Body) != body || kept[0].Quarantined == "" {
			t.Errorf("%s: kept %+v", name, kept)
		}
	}
}

func TestAPingIsAnsweredNotStoredAndNotWithoutItsSignature(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	server := start(t, log, Config{})
	const ping = `{"Event":"test","PrimaryKey":0,"Entity":"test","ContextIdentifier":"Default"}`
	for _, c := range []struct {
		signed bool
		status int
		body   string
	}{{true, 200, `{"status":"ping"}`}, {false, 401, ""}} {
		r := request(t, server.URL, ping)
		r.URL.Path = "/webhooks/crm"
		if c.signed {
			for name, values := range sources(t)["crm"].Sign([]byte(ping)) {
				r.Header[name] = values
			}
		}
		got := send(t, r)
		if got.status != c.status || c.body != "" && got.body != c.body {
			t.Errorf("answer %+v, want %d %s", got, c.status, c.body)
		}
	}
	if kept, _ := log.seen(); len(kept) != 0 {
		t.Errorf("kept %v", kept)
	}
}

// panicking is a source whose adapter can't bear what it is sent: CVE-2025-59531 and its siblings.
type panicking struct{ source.Source }

func (panicking) Identify([]byte) source.Identity { panic("index out of range") }

func TestAPanicOnAPayloadIsQuarantined(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	h := New(log, map[string]source.Source{"city": panicking{sources(t)["city"]}}, Config{})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(t, "", created))
	if kept, _ := log.seen(); w.Code != 200 || len(kept) != 1 || kept[0].Quarantined == "" {
		t.Errorf("answer %d, kept %+v", w.Code, kept)
	}
}

func TestALogThatCantBeWrittenIs503(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		append func(context.Context) (eventstore.Receipt, error)
		status int
		retry  string
	}{
		"busy": {func(context.Context) (eventstore.Receipt, error) { return eventstore.Receipt{}, eventstore.ErrBusy }, 503, "1"},
		"no answer": {func(ctx context.Context) (eventstore.Receipt, error) {
			<-ctx.Done()
			return eventstore.Receipt{}, ctx.Err()
		}, 503, "1"},
		"our own bug": {func(context.Context) (eventstore.Receipt, error) { return eventstore.Receipt{}, errors.New("x") }, 500, ""},
		"a duplicate": {func(context.Context) (eventstore.Receipt, error) {
			return eventstore.Receipt{Result: eventstore.Duplicate, Position: 7}, nil
		}, 200, ""},
	} {
		log := &fakeLog{append: c.append}
		server := start(t, log, Config{AppendTimeout: 10 * time.Millisecond})
		got := send(t, request(t, server.URL, created))
		if got.status != c.status || got.header.Get("Retry-After") != c.retry {
			t.Errorf("%s: answer %+v, want %d Retry-After %q", name, got, c.status, c.retry)
		}
		if name == "a duplicate" && got.body != `{"status":"duplicate","position":7}` {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}

func TestTooMuchInFlightIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"deliveries": {MaxInFlight: 2},
		"bytes":      {MaxInFlightBytes: 2 * int64(len(created)+1)},
	} {
		entered, leave := make(chan struct{}), make(chan struct{})
		log := &fakeLog{append: func(context.Context) (eventstore.Receipt, error) {
			close(entered)
			<-leave
			return eventstore.Receipt{Result: eventstore.Accepted, Position: 1}, nil
		}}
		server := start(t, log, cfg)
		first := make(chan reply)
		go func() { first <- send(t, request(t, server.URL, created)) }()
		<-entered
		if got := send(t, request(t, server.URL, created)); got.status != 503 || got.header.Get("Retry-After") != "1" {
			t.Errorf("%s: answer %+v, want 503", name, got)
		}
		close(leave)
		if got := <-first; got.status != 200 {
			t.Errorf("%s: the one in flight got %+v", name, got)
		}
		log.append = nil
		if got := send(t, request(t, server.URL, created)); got.status != 200 {
			t.Errorf("%s: afterwards %+v", name, got)
		}
	}
}

func TestASenderThatHangsUpAfterItsBodyIsKept(t *testing.T) {
	t.Parallel()
	var ctxErr error
	log := &fakeLog{append: func(ctx context.Context) (eventstore.Receipt, error) {
		ctxErr = ctx.Err()
		return eventstore.Receipt{Result: eventstore.Accepted, Position: 1}, nil
	}}
	h := New(log, sources(t), Config{})
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(t, "", created).WithContext(ctx))
	if w.Code != 200 || ctxErr != nil {
		t.Errorf("answer %d, append saw %v", w.Code, ctxErr)
	}
}

func TestMetricsHaveBoundedLabels(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	server := start(t, &fakeLog{}, Config{Metrics: reg})
	send(t, request(t, server.URL, created))
	for _, path := range []string{"/webhooks/guess-1", "/webhooks/guess-2"} {
		r := request(t, server.URL, created)
		r.URL.Path = path
		send(t, r)
	}
	w := httptest.NewRecorder()
	api.MetricsHandler(reg).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{
		`queuetrack_webhook_requests_total{result="accepted",source="city"} 1`,
		`queuetrack_webhook_requests_total{result="unknown_source",source="unknown"} 2`,
		`queuetrack_webhook_request_duration_seconds_count{source="city"} 1`,
		`queuetrack_webhook_in_flight 0`,
		`queuetrack_webhook_in_flight_bytes 0`,
		`queuetrack_webhook_last_received_timestamp_seconds{source="city"} ` + strconv.FormatFloat(float64(now.Unix()), 'g', -1, 64),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "guess") {
		t.Error("a label holds what a stranger sent")
	}
}

func TestProblemsOfTheDoorAreProblems(t *testing.T) {
	t.Parallel()
	server := start(t, &fakeLog{}, Config{})
	r := request(t, server.URL, created)
	r.URL.Path = "/webhooks/elsewhere"
	got := send(t, r)
	var p api.Problem
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		t.Fatal(err)
	}
	if p.Type != "/problems/unknown-source" || p.Status != 404 || p.Detail == "" || p.Instance != got.header.Get("X-Request-Id") {
		t.Errorf("problem %+v", p)
	}
}
