package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// One delivery after the other, into the real log.
func TestTheDoorOnTheLog(t *testing.T) {
	t.Parallel()
	log := eventstore.New(dbtest.New(t), eventstore.Config{})
	server := start(t, log, Config{})
	called := strings.Replace(created, `"NEW"`, `"CALLED"`, 1)
	for _, c := range []struct {
		what, body, secret string
		status             int
		answer             string
	}{
		{"the first", created, newSecret, 200, `{"status":"accepted","position":1}`},
		{"again", created, newSecret, 200, `{"status":"duplicate","position":1}`},
		{"again, by the old secret", created, oldSecret, 200, `{"status":"duplicate","position":1}`},
		{"forged", called, "a-guess-of-somebody", 401, ""},
		{"the next", called, newSecret, 200, `{"status":"accepted","position":2}`},
		{"unreadable", "{", newSecret, 200, `{"status":"quarantined","position":3}`},
		{"unreadable again", "{", newSecret, 200, `{"status":"duplicate","position":3}`},
		{"back to the first: an edit, no repetition", created, newSecret, 200, `{"status":"accepted","position":4}`},
	} {
		r := request(t, server.URL, c.body)
		r.Header.Set("X-Qminder-Signature", sign(c.secret, c.body))
		got := send(t, r)
		if got.status != c.status || c.answer != "" && got.body != c.answer {
			t.Errorf("%s: %d %s, want %d %s", c.what, got.status, got.body, c.status, c.answer)
		}
	}
	events, err := log.Read(t.Context(), "city", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, e := range events {
		bodies = append(bodies, string(e.Body))
	}
	if got, want := strings.Join(bodies, "\n"), strings.Join([]string{created, called, "{", created}, "\n"); got != want {
		t.Errorf("the log holds\n%s\nwant\n%s", got, want)
	}
}

func TestALogWithoutItsDatabaseIs503(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	server := start(t, eventstore.New(pool, eventstore.Config{}), Config{AppendTimeout: 5 * time.Second})
	pool.Close()
	got := send(t, request(t, server.URL, created))
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("answer %+v, want 503", got)
	}
}
