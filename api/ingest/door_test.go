package ingest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"queuetrack/api"
	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/ombori"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/eventstore/source/superoffice"
)

const (
	publicURL = "https://hooks.example.com/webhooks/city"
	newSecret = "the-new-secret"
	oldSecret = "the-old-secret"
	created   = `{"type":"ticket_created","data":{"id":"1","status":"NEW","line":37338,"created":{"date":"2026-11-20T07:00:00Z"}}}`
)

// now is every test's clock.
var now = time.Date(2026, 11, 20, 7, 0, 1, 0, time.UTC)

// fakeLog keeps what it is given. append, when set, answers instead.
type fakeLog struct {
	append func(context.Context) (eventstore.Receipt, error)

	mu        sync.Mutex
	kept      []eventstore.Delivery
	rejected  map[string]int
	described []eventstore.Rejection
}

func (l *fakeLog) Append(ctx context.Context, _ string, d eventstore.Delivery) (eventstore.Receipt, error) {
	if l.append != nil {
		return l.append(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, d)
	result := eventstore.Accepted
	if d.Quarantined != "" {
		result = eventstore.Quarantined
	}
	return eventstore.Receipt{Result: result, Position: int64(len(l.kept))}, nil
}

func (l *fakeLog) Reject(source, cause string, describe func() eventstore.Rejection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rejected == nil {
		l.rejected = map[string]int{}
	}
	l.rejected[source+" rejected "+cause]++
	r := describe()
	r.Cause = cause
	slices.Sort(r.Headers)
	l.described = append(l.described, r)
}

func (l *fakeLog) seen() (kept []eventstore.Delivery, rejected map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.kept), maps.Clone(l.rejected)
}

func sources(t *testing.T) map[string]source.Source {
	t.Helper()
	secrets := []source.Secret{{Name: "literal-1", Value: []byte(newSecret)}, {Name: "literal-2", Value: []byte(oldSecret)}}
	open := func(s source.Source, err error) source.Source {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return map[string]source.Source{
		"city":  open(qminder.New(source.Config{Name: "city", PublicURL: publicURL, Secrets: secrets})),
		"store": open(ombori.New(source.Config{Name: "store", Header: "Authorization", Secrets: secrets})),
		"crm":   open(superoffice.New(source.Config{Name: "crm", Secrets: secrets})),
	}
}

// sign is Qminder's signature as its documentation has it, not by our own signer.
func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(publicURL + body))
	return hex.EncodeToString(mac.Sum(nil))
}

// start serves the door on a real server.
func start(t *testing.T, log Log, cfg Config) *httptest.Server {
	t.Helper()
	cfg.Now = clock
	r := api.NewRouter(slog.New(slog.DiscardHandler))
	r.Handle(Prefix+"*", New(log, sources(t), cfg))
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return server
}

// request is a delivery of body to city, signed well; tests spoil it.
func request(t *testing.T, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/webhooks/city", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Qminder-Signature", sign(newSecret, body))
	return r
}

type reply struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, r *http.Request) reply {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return reply{answer.StatusCode, answer.Header, strings.TrimSpace(string(body))}
}

func clock() time.Time { return now }
