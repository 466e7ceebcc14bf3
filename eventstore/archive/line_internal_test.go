package archive

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"queuetrack/eventstore"
)

// anyEvent draws an event that the log can hold.
func anyEvent(t *rapid.T) eventstore.Event {
	text := rapid.String().Filter(storable)
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC).UnixMicro()
	instant := rapid.Custom(func(t *rapid.T) time.Time { return time.UnixMicro(rapid.Int64Range(first, last).Draw(t, "µs")).UTC() })
	e := eventstore.Event{
		Source:     rapid.StringMatching(`[a-z0-9-]{1,40}`).Draw(t, "source"),
		Position:   rapid.Int64Min(2).Draw(t, "position"),
		Ticket:     text.Draw(t, "ticket"),
		Type:       text.Draw(t, "type"),
		EventKey:   text.Draw(t, "key"),
		ReceivedAt: instant.Draw(t, "received"),
		Body:       append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "body")...),
		DeliveryID: uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")),
		VerifiedBy: text.Draw(t, "verifier"),
	}
	e.Quarantined = text.Draw(t, "cause")
	if rapid.Bool().Draw(t, "occurred?") {
		e.OccurredAt = instant.Draw(t, "occurred")
	}
	if rapid.Bool().Draw(t, "repeats?") {
		e.RepeatOf = rapid.Int64Range(1, e.Position-1).Draw(t, "repeats")
	}
	e.Digest = sha256.Sum256(e.Body)
	return e
}

// Every event has a line, and every such line is that event.
func TestAnyEventHasItsLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyEvent(t)
		line := appendEvent(nil, &want)
		got, err := parseEvent(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", line, diff)
		}
	})
}

// Any line: no panic, and an event that is read of it has a line of its own.
func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"source":"city","position":7,"ticket":"a\"\\\u0009b","type":"x","event_key":"k","occurred_at":"2026-11-20T07:00:00Z",` +
		`"received_at":"2026-11-20T07:00:00.123456Z","delivery_id":"4b5ce038-50f2-4796-bdb2-000000000011","verified_by":"literal-1",` +
		`"quarantined":"c","repeat_of":3,"digest":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","body":"eA=="}` + "\n"))
	f.Add([]byte(`{"source":"city","position":1,"type":"\\`))
	f.Add([]byte(`{"source":"\`))
	f.Add([]byte(header + `,"after":[{"source":"city","position":184223,"digest":"`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if seams, err := parseHeader(line); err == nil {
			again, err := parseHeader(appendHeader(nil, seams))
			if diff := cmp.Diff(seams, again); err != nil || diff != "" {
				t.Errorf("header of %q: %v\n%s", line, err, diff)
			}
		}
		e, err := parseEvent(line)
		if err != nil {
			return
		}
		own := appendEvent(nil, &e)
		again, err := parseEvent(own)
		if err != nil || !bytes.Equal(appendEvent(nil, &again), own) {
			t.Errorf("%q became %q, then %v", line, own, err)
		}
	})
}
