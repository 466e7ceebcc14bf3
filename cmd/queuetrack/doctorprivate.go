package main

import (
	"errors"
	"fmt"

	"queuetrack/cmd/queuetrack/doctor"
	"queuetrack/migrations/localpg"
)

// Below these, a private Postgres is about to stop taking webhooks.
const (
	diskShort = 1 << 30
	diskFull  = 100 << 20
)

// private tells what there is of a private Postgres; there: it can be opened.
func (x *examination) private(s localpg.State) (found []doctor.Finding, there bool) {
	f := doctor.Finding{Check: "private Postgres", Verdict: doctor.OK, Found: fmt.Sprintf("Postgres %s in %s, of user %s", s.Major, s.DataDir, s.Owner)}
	switch {
	case errors.Is(s.Refuses, localpg.ErrNoBinaries):
		f.Verdict, f.Found = doctor.Problem, "no database is configured, and no Postgres found on this machine to keep a private one with"
		f.Do = "install one (apt-get install postgresql); or 'docker compose up'; or set DATABASE_URL=postgres://user:password@host:5432/database"
	case errors.Is(s.Refuses, localpg.ErrVersion):
		f.Verdict, f.Found = doctor.Problem, s.Refuses.Error()
		f.Do = "to move it to another major version, see README: Upgrades"
	case s.Refuses != nil:
		f.Verdict, f.Found = doctor.Problem, s.Refuses.Error()
		f.Do = "mend that; or run this as root, or as that user; or name another folder with --data-dir"
	case s.Major == "":
		f.Verdict, f.Found = doctor.Note, "there is none yet in "+s.DataDir
		f.Do = "serve makes it at its first start; if yours has one elsewhere, name its --data-dir, or --database-url"
	default:
		return append([]doctor.Finding{f}, x.privatePlace(s)...), true
	}
	return []doctor.Finding{f}, false
}

// privatePlace tells how to get at it, and how much room it has.
func (x *examination) privatePlace(s localpg.State) []doctor.Finding {
	found := []doctor.Finding{{Check: "psql, pg_dump", Verdict: doctor.OK, Found: fmt.Sprintf("while serve runs, as root or %s: psql '%s'", s.Owner, s.URL)}}
	room := doctor.Finding{Check: "disk", Verdict: doctor.OK, Found: fmt.Sprintf("%d MiB free for %s", s.Free>>20, s.DataDir)}
	switch {
	case s.Free < 0:
		return found
	case s.Free < diskFull:
		room.Verdict = doctor.Problem
	case s.Free < diskShort:
		room.Verdict = doctor.Warning
	}
	if room.Verdict != doctor.OK {
		room.Do = "make room: on a full disk webhooks are answered 503 until there is some"
	}
	return append(found, room)
}
