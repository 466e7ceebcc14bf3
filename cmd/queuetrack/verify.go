package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// verifyListed is how many violations are listed; the rest are counted. One cause can have millions.
const verifyListed = 100

func newVerify(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Re-check every invariant of the log and of the read models",
		Long: `Checks, in one snapshot of the database: positions are dense, digests match the bodies, checkpoints are not ahead
of the log, dead letters have their cause, and the read models are row by row what the log folds to: those that answers
are read from, and those that a rebuild fills or left behind, unless they are half filled or another version's. Changes
nothing; the server may be running. Exit code 1, and a list of the first ` + fmt.Sprint(verifyListed) + `, when something is wrong.

On a terminal it shows how far it is. With --json it tells that, each violation and the result as lines of JSON.`,
		Example: `  queuetrack verify --config queuetrack.yaml`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error { return a.verify(ctx, p, asJSON) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "tell progress, violations and result as lines of JSON on standard output")
	return cmd
}

func (a *app) verify(ctx context.Context, p *parts, asJSON bool) error {
	say := verifyTeller(&verifyText{app: a, bar: a.newBar("verify", "events")})
	if asJSON {
		say = &verifyJSON{app: a, began: time.Now()}
	}
	wrong := 0
	report := func(v eventstore.Violation) {
		if wrong++; wrong <= verifyListed {
			say.violation(v)
		}
	}
	cfg := projection.VerifyConfig{Fingerprint: p.reader.Fingerprint, Progress: say.progress}
	verified, err := projection.Verify(ctx, p.pools.reading, p.sources, p.models(), report, cfg)
	say.end()
	if err != nil {
		return err
	}
	say.result(verified, wrong)
	if wrong == 0 {
		return nil
	}
	// Rows of another version's fold differ for no other reason.
	if drift, err := p.reader.Drift(ctx); err == nil && drift.Any() {
		fmt.Fprintln(a.stderr, "the read models were folded by another version or with other settings, so they may differ: "+drift.Advice())
	}
	return errNo
}

// verifyTeller says what verify finds, to a person or to a program.
type verifyTeller interface {
	progress(done, total int64)
	violation(v eventstore.Violation)
	end()
	result(v projection.Verified, wrong int)
}

type verifyText struct {
	app *app
	bar *bar
}

func (t *verifyText) progress(done, total int64)       { t.bar.set(done, total) }
func (t *verifyText) violation(v eventstore.Violation) { fmt.Fprintln(t.app.stdout, describe(v)) }
func (t *verifyText) end()                             { t.bar.end() }

func (t *verifyText) result(v projection.Verified, wrong int) {
	out := t.app.stdout
	if more := wrong - verifyListed; more > 0 {
		fmt.Fprintf(out, "… and %d more\n", more)
	}
	for _, u := range v.Unchecked {
		fmt.Fprintf(out, "%s: generation %d (%s) was not compared: %s\n", u.Source, u.Generation, u.State, u.Why)
	}
	fmt.Fprintf(out, "checked %s, %s, %s: ", counted(v.Sources, "source"), counted(v.Events, "event"), counted(v.Tickets, "ticket"))
	if wrong > 0 {
		fmt.Fprintf(out, "%s\n", counted(wrong, "violation"))
		return
	}
	fmt.Fprintln(out, "ok")
}

// describe is a violation on one line: where, then what.
func describe(v eventstore.Violation) string {
	where := v.Source
	if v.Position > 0 {
		where += fmt.Sprintf(":%d", v.Position)
	}
	if v.Ticket != "" {
		where += " ticket " + v.Ticket
	}
	return where + ": " + v.What
}

// verifyJSON writes a line each: "progress" a few times a second, "violation", and "result" at the end.
type verifyJSON struct {
	app   *app
	began time.Time
	last  time.Time
}

// verifyJSONEvery is how often the progress is told.
const verifyJSONEvery = 250 * time.Millisecond

type verifyProgress struct {
	Line        string   `json:"line"`
	Events      int64    `json:"events"`
	Total       int64    `json:"total"`
	Rate        float64  `json:"events_per_second"`
	LeftSeconds *float64 `json:"left_seconds,omitempty"` // absent: not known
}

type verifyViolation struct {
	Line     string `json:"line"`
	Source   string `json:"source"`
	Position int64  `json:"position,omitempty"` // absent: of the source as a whole
	Ticket   string `json:"ticket,omitempty"`
	What     string `json:"what"`
}

type verifyResult struct {
	Line       string            `json:"line"`
	OK         bool              `json:"ok"`
	Sources    int64             `json:"sources"`
	Events     int64             `json:"events"`
	Tickets    int64             `json:"tickets"`
	Shards     int64             `json:"shards"`
	Unchecked  []verifyUnchecked `json:"unchecked"`
	Violations int               `json:"violations"`
	Listed     int               `json:"listed"`
	Seconds    float64           `json:"seconds"`
}

type verifyUnchecked struct {
	Source     string `json:"source"`
	Generation int    `json:"generation"`
	State      string `json:"state"`
	Why        string `json:"why"`
}

func (j *verifyJSON) progress(done, total int64) {
	now := time.Now()
	if now.Sub(j.last) < verifyJSONEvery {
		return
	}
	j.last = now
	line := verifyProgress{Line: "progress", Events: done, Total: total, Rate: float64(done) / now.Sub(j.began).Seconds()}
	if line.Rate > 0 {
		line.LeftSeconds = new(float64(total-done) / line.Rate)
	}
	j.write(line)
}

func (j *verifyJSON) violation(v eventstore.Violation) {
	j.write(verifyViolation{"violation", v.Source, v.Position, v.Ticket, v.What})
}

func (j *verifyJSON) end() {}

func (j *verifyJSON) result(v projection.Verified, wrong int) {
	unchecked := []verifyUnchecked{}
	for _, u := range v.Unchecked {
		unchecked = append(unchecked, verifyUnchecked{u.Source, u.Generation, u.State, u.Why})
	}
	j.write(verifyResult{
		Line: "result", OK: wrong == 0, Sources: v.Sources, Events: v.Events, Tickets: v.Tickets, Shards: v.Shards,
		Unchecked: unchecked, Violations: wrong, Listed: min(wrong, verifyListed), Seconds: time.Since(j.began).Seconds(),
	})
}

func (j *verifyJSON) write(line any) { _ = writeLine(j.app.stdout, line) } // a reader that is gone has the exit code
