package archive_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/archive"
	"queuetrack/migrations/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// noon is when the tests' events are received.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 123456000, time.UTC)

// event makes the event of a position, always the same one.
func event(source string, position int64, body string) eventstore.Event {
	id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s:%d", source, position))
	return eventstore.Event{
		Source: source, Position: position, Ticket: "1001", Type: "ticket_created", ReceivedAt: noon, Body: []byte(body),
		Digest: sha256.Sum256([]byte(body)), DeliveryID: id, VerifiedBy: "env:SECRET",
	}
}

// everyKind are events of two sources with all that an event can have and lack.
func everyKind() []eventstore.Event {
	dice := rand.New(rand.NewPCG(1, 1))
	binary, largest := make([]byte, 256), make([]byte, 1<<20)
	for i := range binary {
		binary[i] = byte(i)
	}
	for i := range largest {
		largest[i] = byte(dice.Uint32())
	}
	bodies := []string{`{"plain":1}`, "", string(binary), string(largest), "\x00", "repeated", "repeated", "own", "last"}
	var all []eventstore.Event
	for _, source := range []string{"city", "crm-2"} {
		for i, body := range bodies {
			all = append(all, event(source, int64(i)+1, body))
		}
	}
	city := all[:len(bodies)]
	city[0].OccurredAt = noon.Add(-time.Microsecond).Truncate(time.Second)
	city[1].Ticket = ""
	city[2].Type, city[2].Ticket = "quotes \" and \\ and \n\t\x01\x7f", "käsi 手 \u2028 <&>"
	city[3].OccurredAt = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
	city[4].ReceivedAt = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	city[5].Quarantined, city[5].EventKey = "not JSON: \"x\"", "Cust/ticket/1/a"
	city[6].RepeatOf, city[6].EventKey = 6, "Cust/ticket/1/a"
	city[7].VerifiedBy, city[7].Type, city[7].EventKey = eventstore.Own, eventstore.TypeExpired, "expired/1001/6"
	city[8].Type, city[8].VerifiedBy = "", ""
	return all
}

// few are small events of two sources.
func few() []eventstore.Event {
	var all []eventstore.Event
	for _, source := range []string{"city", "crm"} {
		for i := range int64(4) {
			all = append(all, event(source, i+1, fmt.Sprintf(`{"n":%d}`, i)))
		}
	}
	all[1].EventKey, all[2].Quarantined = "key", "replay of position 1"
	return all
}

// written is the archive of the events.
func written(t testing.TB, events []eventstore.Event, after ...archive.Seam) []byte {
	t.Helper()
	var b bytes.Buffer
	w := archive.NewWriter(&b, after)
	for i := range events {
		if err := w.Write(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newLog(t testing.TB) (*eventstore.Log, *pgxpool.Pool) {
	t.Helper()
	pool := dbtest.New(t)
	return eventstore.New(pool, eventstore.Config{}), pool
}

func mustImport(t testing.TB, log *eventstore.Log, file []byte) []archive.Imported {
	t.Helper()
	done, err := archive.Import(t.Context(), log, bytes.NewReader(file), ignore)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func ignore(archive.Phase, int64) {}

func exported(t testing.TB, log *eventstore.Log, scope archive.Scope) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := archive.Export(t.Context(), log, &b, scope, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// equalBytes fails the test where two archives part.
func equalBytes(t testing.TB, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	lines := func(b []byte) (short []string) {
		for line := range bytes.Lines(b) {
			short = append(short, fmt.Sprintf("%.200q… %x", line, sha256.Sum256(line)))
		}
		return short
	}
	t.Errorf("archive (-want +got):\n%s", cmp.Diff(lines(want), lines(got)))
}

// same is equal for an event, whose body may be large.
func same(t testing.TB, got, want eventstore.Event) {
	t.Helper()
	if !got.Same(&want) {
		got.Body, want.Body = got.Body[:min(len(got.Body), 200)], want.Body[:min(len(want.Body), 200)]
		equal(t, "event, its body cut", got, want)
		t.Errorf("position %d of %s is not the same", want.Position, want.Source)
	}
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// tails are what the log holds.
func tails(t testing.TB, log *eventstore.Log) map[string]int64 {
	t.Helper()
	all, err := log.Tails(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}
