package doctor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/api/ingest"
	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

// city is the source that the tests configure.
func city() Source {
	return Source{
		Name: "city", Header: "X-Signature", Unsigned: "have the proxy pass it on", Secrets: []string{"file:new", "file:old"},
		SilentAfter: time.Hour, Zone: time.UTC,
	}
}

// logOf is an empty log, and a look at it that is made at noon.
func logOf(t *testing.T) (Sources, *pgxpool.Pool) {
	t.Helper()
	pool := dbtest.New(t)
	return Sources{Log: eventstore.New(pool, eventstore.Config{}), Configured: []Source{city()}, Now: func() time.Time { return noon }}, pool
}

// add appends an event that was received so long before noon, from so long before that.
func (s Sources) add(t *testing.T, source, key, quarantined string, ago, behind time.Duration) {
	t.Helper()
	received := noon.Add(-ago)
	_, err := s.Log.AppendBatch(t.Context(), source, []eventstore.Delivery{{
		Ticket: "1", Type: "changed", ReceivedAt: received, OccurredAt: received.Add(-behind), VerifiedBy: key, Quarantined: quarantined,
		Body: fmt.Appendf(nil, `{"at":%d,"key":%q}`, received.UnixNano(), key),
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// refuse notes a request that was refused so long before noon.
func refuse(t *testing.T, pool *pgxpool.Pool, cause ingest.Cause, n int, ago time.Duration, headers ...string) {
	t.Helper()
	exec(t, pool, `
		INSERT INTO rejection (source, slot, number, received_at, cause, method, headers)
		SELECT 'city', n.number % 100, n.number, $1, $2, 'POST', $3
		  FROM generate_series((SELECT count(*) FROM rejection) + 1, (SELECT count(*) FROM rejection) + $4) AS n (number)`,
		noon.Add(-ago), string(cause), append([]string{}, headers...), n)
	exec(t, pool, `
		INSERT INTO counter (source, name, key, value)
		VALUES ('city', 'rejected', $1, $2)`, string(cause), n)
}

// only is the one finding of a check's name.
func only(t *testing.T, findings []Finding, check string) Finding {
	t.Helper()
	for _, f := range findings {
		if f.Check == check {
			return f
		}
	}
	t.Fatalf("no finding %q in %+v", check, findings)
	return Finding{}
}

func (s Sources) looksAt(t *testing.T, look string) []Finding {
	t.Helper()
	var all []Finding
	for _, c := range s.Checks() {
		if c.Name == look {
			findings, err := c.Look(t.Context())
			all = append(all, found(t, findings, err)...)
		}
	}
	return all
}

func TestWebhooksThatComeOrDoNot(t *testing.T) {
	t.Parallel()
	s, pool := logOf(t)
	look := func() Finding { return only(t, s.looksAt(t, "webhooks"), "webhooks") }
	if f := look(); f.Verdict != Note || !strings.Contains(f.Do, "/webhooks/city") {
		t.Errorf("before the first: %+v", f)
	}
	s.add(t, "city", "file:new", "", 2*time.Hour, 0)
	if f := look(); f.Verdict != Problem || !strings.Contains(f.Found, "silent for longer than 1h") {
		t.Errorf("after two silent hours: %+v", f)
	}
	s.add(t, "city", "file:new", "", time.Minute, 0)
	equal(t, "now", Finding{"webhooks", OK, "2 events; the last webhook came 1m0s ago", ""}, look())
	exec(t, pool, `INSERT INTO counter (source, name, key, value) VALUES ('city', 'duplicate', '', 100)`)
	if f := only(t, s.looksAt(t, "webhooks"), "duplicates"); f.Verdict != Warning {
		t.Errorf("of many duplicates: %+v", f)
	}
}

func TestSignaturesThatAreRefused(t *testing.T) {
	t.Parallel()
	s, pool := logOf(t)
	refuse(t, pool, ingest.CauseSignature, 1, time.Minute, "Content-Type")
	look := func() Finding { return only(t, s.looksAt(t, "webhooks"), "refused: signature") }
	if f := look(); f.Verdict != Problem || f.Do != "the last one had no header X-Signature: have the proxy pass it on" {
		t.Errorf("with nothing accepted: %+v", f)
	}
	s.add(t, "city", "file:new", "", 2*time.Minute, 0)
	if f := look(); f.Verdict != Warning {
		t.Errorf("one, which may be a stranger's: %+v", f)
	}
	exec(t, pool, `DELETE FROM rejection; DELETE FROM counter`)
	refuse(t, pool, ingest.CauseSignature, 3, time.Minute, "Content-Type", "x-signature")
	if f := look(); f.Verdict != Problem || !strings.Contains(f.Do, "config check --signature") {
		t.Errorf("three in a row: %+v", f)
	}
	s.add(t, "city", "file:new", "", 0, 0)
	if f := look(); f.Verdict != Warning {
		t.Errorf("and then one accepted: %+v", f)
	}
	exec(t, pool, `UPDATE rejection SET received_at = received_at - interval '2 days'`)
	equal(t, "long ago", Finding{"refused: signature", OK, "3 requests, none lately", ""}, look())
}

// Every cause has its advice.
func TestEachCauseHasItsHint(t *testing.T) {
	t.Parallel()
	s, pool := logOf(t)
	causes := []ingest.Cause{
		ingest.CauseMethod, ingest.CauseContentType, ingest.CauseEncoding, ingest.CauseTooLarge, ingest.CauseTruncated, ingest.CauseSlow, ingest.CauseBusy,
	}
	for _, cause := range causes {
		refuse(t, pool, cause, 1, time.Minute)
	}
	s.add(t, "city", "file:new", "", 0, 0)
	seen := map[string]bool{}
	for _, cause := range causes {
		f := only(t, s.looksAt(t, "webhooks"), "refused: "+string(cause))
		want := Warning
		if cause == ingest.CauseMethod {
			want = Note
		}
		if f.Verdict != want || f.Do == "" {
			t.Errorf("%s: %+v", cause, f)
		}
		seen[f.Do] = true
	}
	if len(seen) != len(causes)-1 { // truncated and slow have one remedy
		t.Errorf("%d hints for %d causes", len(seen), len(causes))
	}
}

func TestSecretsInUse(t *testing.T) {
	t.Parallel()
	s, _ := logOf(t)
	look := func() Finding { return only(t, s.looksAt(t, "secrets in use"), "secrets in use") }
	if all := s.looksAt(t, "secrets in use"); len(all) != 0 {
		t.Errorf("of an empty log: %+v", all)
	}
	s.add(t, "city", "literal-1", "", 80*time.Hour, 0)
	if f := look(); f.Verdict != Note || !strings.Contains(f.Found, "none of the latest 1") {
		t.Errorf("of one that is gone: %+v", f)
	}
	s.add(t, "city", "file:old", "", 70*time.Hour, 0)
	if f := look(); f.Verdict != Note || !strings.Contains(f.Found, "the vendor has not switched") {
		t.Errorf("before the vendor switched: %+v", f)
	}
	s.add(t, "city", "file:new", "", 69*time.Hour, 0)
	if f := look(); f.Verdict != Note || !strings.Contains(f.Found, "under way") {
		t.Errorf("while it switches: %+v", f)
	}
	s.add(t, "city", "file:new", "", 0, 0)
	if f := look(); f.Verdict != Note || !strings.Contains(f.Found, "file:old is not used any more") {
		t.Errorf("afterwards: %+v", f)
	}
	s.Configured[0].Secrets = []string{"file:new"}
	equal(t, "in the end", Finding{"secrets in use", OK, "file:new verifies", ""}, look())
}

func TestQuarantineIsTold(t *testing.T) {
	t.Parallel()
	s, _ := logOf(t)
	look := func() Finding { return only(t, s.looksAt(t, "quarantine"), "quarantine") }
	if f := look(); f.Verdict != OK {
		t.Errorf("empty: %+v", f)
	}
	s.add(t, "city", "file:new", "replay of position 1", 3*time.Hour, 0)
	if f := look(); f.Verdict != Note {
		t.Errorf("a replay only: %+v", f)
	}
	s.add(t, "city", "file:new", "not JSON: this", 2*time.Hour, 0)
	s.add(t, "city", "file:new", "not JSON: that", time.Hour, 0)
	if f := look(); f.Verdict != Warning || f.Found != "3 events kept and not folded: 1 × a replay, 2 × not JSON" {
		t.Errorf("with causes: %+v", f)
	}
	held, err := s.Log.Quarantine(t.Context(), "city", "", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i := range held {
		held[i].RetriedAs = 9
	}
	if f := city().kept(held, noon)[0]; f.Verdict != OK {
		t.Errorf("all retried: %+v", f)
	}
}

func TestSourcesThatNobodyConfigured(t *testing.T) {
	t.Parallel()
	s, _ := logOf(t)
	s.add(t, "city", "file:new", "", 0, 0)
	s.add(t, "gone", "file:new", "", 0, 0)
	findings, err := s.Unknown(t.Context())
	equal(t, "verdicts", map[string]Verdict{"log of gone": Warning}, verdicts(found(t, findings, err)))
}
