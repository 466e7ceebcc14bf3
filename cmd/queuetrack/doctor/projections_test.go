package doctor

import (
	"strings"
	"testing"
	"time"

	"queuetrack/projection"
)

// foldsOf is a look at a log of two events, of which one is folded.
func foldsOf(t *testing.T) (p Projections, set func(sql string)) {
	t.Helper()
	s, pool := logOf(t)
	s.add(t, "city", "file:new", "", 2*time.Minute, 0)
	s.add(t, "city", "file:new", "", time.Minute, 0)
	reader := projection.NewReader(pool)
	reader.Now = s.Now
	reader.Fingerprint = projection.Fingerprint{Code: "v2", Settings: map[string]string{"city": "utc"}}
	exec(t, pool, `INSERT INTO shard (source, generation, position) VALUES ('city', 0, 1)`)
	return Projections{reader, []string{"city"}}, func(sql string) { exec(t, pool, sql) }
}

func (p Projections) folded(t *testing.T) Finding {
	t.Helper()
	findings, err := p.Folded(t.Context())
	return only(t, found(t, findings, err), "folded city")
}

const withRunner = `INSERT INTO runner (owner, code, sources, lease_until) VALUES ('here', 'v2', '{city}', 'infinity')`

func TestHowFarItIsFolded(t *testing.T) {
	t.Parallel()
	p, set := foldsOf(t)
	if f := p.folded(t); f.Verdict != Warning || !strings.Contains(f.Found, "no process folds it") {
		t.Errorf("with nobody at it: %+v", f)
	}
	set(withRunner)
	if f := p.folded(t); f.Verdict != OK {
		t.Errorf("a minute behind, with somebody at it: %+v", f)
	}
	p.Reader.Now = func() time.Time { return noon.Add(time.Hour) }
	if f := p.folded(t); f.Verdict != Warning || !strings.Contains(f.Found, "1h1m behind") {
		t.Errorf("an hour behind: %+v", f)
	}
	set(`UPDATE shard SET position = 3`)
	if f := p.folded(t); f.Verdict != Problem || !strings.Contains(f.Found, "the log's end is lost") {
		t.Errorf("ahead of the log: %+v", f)
	}
	set(`UPDATE shard SET position = 2, halted = 'a hole in the log'`)
	if f := p.folded(t); f.Verdict != Problem || !strings.Contains(f.Found, "a hole in the log") {
		t.Errorf("halted: %+v", f)
	}
	set(`UPDATE shard SET halted = NULL`)
	equal(t, "in the end", Finding{"folded city", OK, "position 2 of 2", ""}, p.folded(t))
}

func TestDeadLettersAreTold(t *testing.T) {
	t.Parallel()
	p, set := foldsOf(t)
	set(`INSERT INTO dead_letter (source, generation, position, ticket, behind, cause) VALUES ('city', 0, 1, '1', NULL, 'x'), ('city', 0, 2, '1', 1, '')`)
	findings, err := p.Folded(t.Context())
	f := only(t, found(t, findings, err), "dead letters city")
	if f.Verdict != Warning || f.Found != "1 event can't be folded, 1 later event of their tickets behind them" {
		t.Errorf("%+v", f)
	}
}

func TestProcessesThatFold(t *testing.T) {
	t.Parallel()
	p, set := foldsOf(t)
	look := func() Finding {
		findings, err := p.Processes(t.Context())
		return only(t, found(t, findings, err), "processes")
	}
	if f := look(); f.Verdict != Note {
		t.Errorf("none: %+v", f)
	}
	set(withRunner)
	if f := look(); f.Verdict != OK {
		t.Errorf("one: %+v", f)
	}
	p.Sources = append(p.Sources, "store")
	if f := look(); f.Verdict != Warning || !strings.Contains(f.Found, "store configured") {
		t.Errorf("without a source: %+v", f)
	}
	set(`UPDATE runner SET code = 'v1'`)
	if f := look(); f.Verdict != Warning || !strings.Contains(f.Found, "another version") {
		t.Errorf("of another version: %+v", f)
	}
}

func TestReadModelsOfAnotherVersion(t *testing.T) {
	t.Parallel()
	p, set := foldsOf(t)
	look := func() Finding {
		findings, err := p.Version(t.Context())
		return only(t, found(t, findings, err), "version")
	}
	set(`INSERT INTO folded_with (source, generation, code, settings, after) VALUES ('city', 0, 'v2', 'utc', 0)`)
	if f := look(); f.Verdict != OK {
		t.Errorf("of this one: %+v", f)
	}
	set(`UPDATE folded_with SET settings = 'cet'`)
	if f := look(); f.Verdict != Warning || !strings.Contains(f.Found, "other settings of city") {
		t.Errorf("with other settings: %+v", f)
	}
	set(`UPDATE folded_with SET code = 'v1', settings = 'utc'`)
	if f := look(); f.Verdict != Warning || !strings.Contains(f.Found, "another version") || !strings.Contains(f.Do, "queuetrack rebuild") {
		t.Errorf("of another: %+v", f)
	}
	p.Reader.Fingerprint = projection.Fingerprint{}
	if findings, err := p.Version(t.Context()); err != nil || len(findings) != 0 {
		t.Errorf("with nothing to hold it against: %+v, %v", findings, err)
	}
}

func TestRebuildsThatWereLeft(t *testing.T) {
	t.Parallel()
	p, set := foldsOf(t)
	look := func() []Finding {
		findings, err := p.Rebuild(t.Context())
		return found(t, findings, err)
	}
	if all := look(); len(all) != 0 {
		t.Errorf("of none: %+v", all)
	}
	set(`INSERT INTO generation (generation, state, fingerprint, created_at, task, began_at, owner, lease_until)
		VALUES (1, 'building', 'v2', now(), 'rebuild', now(), 'there', 'infinity')`)
	if f := only(t, look(), "rebuild"); f.Verdict != Note || !strings.Contains(f.Found, "there is at it") {
		t.Errorf("under way: %+v", f)
	}
	set(`UPDATE generation SET lease_until = '-infinity' WHERE generation = 1`)
	if f := only(t, look(), "rebuild"); f.Verdict != Warning || !strings.Contains(f.Found, "interrupted") {
		t.Errorf("interrupted: %+v", f)
	}
	set(`UPDATE generation SET failure = 'no room' WHERE generation = 1`)
	if f := only(t, look(), "rebuild"); f.Verdict != Problem || !strings.Contains(f.Found, "no room") {
		t.Errorf("failed: %+v", f)
	}
	set(`UPDATE generation SET state = 'dropped' WHERE generation = 1`)
	if all := look(); len(all) != 0 {
		t.Errorf("done: %+v", all)
	}
}
