package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"queuetrack/projection"
)

// Projections is a look at what is folded from the log.
type Projections struct {
	Reader  *projection.Reader
	Sources []string // configured
}

// Folded tells how far each source is.
func (p Projections) Folded(ctx context.Context) ([]Finding, error) {
	progress, err := p.Reader.Progress(ctx)
	if err != nil {
		return nil, err
	}
	runners, err := p.Reader.Runners(ctx)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, s := range progress {
		if s.State == "serving" && slices.Contains(p.Sources, s.Source) { // of others, the log is the finding
			found = append(found, folded(s, runners), deadLetters(s))
		}
	}
	return slices.DeleteFunc(found, func(f Finding) bool { return f.Check == "" }), nil
}

// slow is how old an event that is not folded yet may be while somebody is at it.
const slow = time.Minute

// folded judges one source's progress.
func folded(s projection.Progress, runners []projection.RunnerInfo) Finding {
	f := Finding{"folded " + s.Source, OK, fmt.Sprintf("position %d of %d", s.Position, s.Tail), ""}
	owned := slices.ContainsFunc(runners, func(r projection.RunnerInfo) bool { return slices.Contains(r.Sources, s.Source) })
	switch {
	case s.Halted != "":
		f.Verdict, f.Found = Problem, f.Found+", and stopped: "+s.Halted
		f.Do = "'queuetrack verify' names all that is wrong with the log; when that is mended or restored, 'queuetrack rebuild'"
	case s.Position > s.Tail:
		f.Verdict, f.Found = Problem, f.Found+": the log's end is lost, as after a restore of a part"
		f.Do = "restore the whole database from one backup, or run 'queuetrack rebuild'"
	case s.Position < s.Tail && !owned:
		f.Verdict, f.Found = Warning, f.Found+", and no process folds it"
		f.Do = "start 'queuetrack serve' with this source configured"
	case s.LagSeconds > slow.Seconds():
		f.Verdict, f.Found = Warning, f.Found+fmt.Sprintf(": %s behind", long(time.Duration(s.LagSeconds*float64(time.Second))))
		f.Do = "look into the log of serve for errors, and at this machine's load; see the findings on vacuum"
	}
	return f
}

func deadLetters(s projection.Progress) Finding {
	if s.DeadLetters == 0 {
		return Finding{}
	}
	return Finding{
		"dead letters " + s.Source, Warning, fmt.Sprintf("%s can't be folded, %s of their tickets behind them", counted(s.DeadLetters, "event"), counted(s.Waiting, "later event")),
		fmt.Sprintf("'queuetrack dead-letters list --source %s' shows why; then retry or dismiss them", s.Source),
	}
}

// Processes tells who folds.
func (p Projections) Processes(ctx context.Context) ([]Finding, error) {
	runners, err := p.Reader.Runners(ctx)
	if err != nil {
		return nil, err
	}
	return processes(runners, p.Reader.Fingerprint.Code, p.Sources), nil
}

func processes(runners []projection.RunnerInfo, code string, sources []string) []Finding {
	if len(runners) == 0 {
		return []Finding{{"processes", Note, "none folds now", "'queuetrack serve' does"}}
	}
	var found []Finding
	for _, r := range runners {
		if r.Code != code && code != "" {
			found = append(found, Finding{"processes", Warning, r.Owner + " folds as another version than this one", "finish the upgrade: end the older one, then see whether a rebuild is due"})
		}
	}
	var nobodys []string
	for _, s := range sources {
		if !slices.ContainsFunc(runners, func(r projection.RunnerInfo) bool { return slices.Contains(r.Sources, s) }) {
			nobodys = append(nobodys, s)
		}
	}
	if len(nobodys) > 0 {
		found = append(found, Finding{"processes", Warning, "none that runs has " + strings.Join(nobodys, ", ") + " configured", "restart serve with this configuration: a HUP changes secrets only"})
	}
	if len(found) == 0 {
		found = append(found, Finding{"processes", OK, fmt.Sprintf("%d at it", len(runners)), ""})
	}
	return found
}

// Version tells whether the read models are this version's.
func (p Projections) Version(ctx context.Context) ([]Finding, error) {
	drift, err := p.Reader.Drift(ctx)
	if err != nil {
		return nil, err
	}
	if p.Reader.Fingerprint.Code == "" {
		return nil, nil // nothing to hold it against
	}
	if !drift.Any() {
		return []Finding{{"version", OK, fmt.Sprintf("generation %d is this version's and these settings'", drift.Generation), ""}}, nil
	}
	what := "another version"
	if len(drift.Settings) > 0 {
		what = "other settings of " + strings.Join(drift.Settings, ", ")
	}
	return []Finding{{"version", Warning, fmt.Sprintf("generation %d was folded with %s: a rebuild is due", drift.Generation, what), drift.Advice()}}, nil
}

// Rebuild tells of one that is under way, or was left.
func (p Projections) Rebuild(ctx context.Context) ([]Finding, error) {
	w, err := p.Reader.Rebuilding(ctx)
	if err != nil {
		return nil, err
	}
	return rebuild(w), nil
}

func rebuild(w projection.Work) []Finding {
	how := fmt.Sprintf("%s of generation %d, %d of %d events", w.Task, w.Generation, w.Events, w.Total)
	again := "'queuetrack rebuild' goes on with it, 'queuetrack rebuild --discard' gives it up"
	switch w.State {
	case projection.WorkNone, projection.WorkDone:
	case projection.WorkRunning:
		return []Finding{{"rebuild", Note, how + ": " + w.Owner + " is at it", ""}}
	case projection.WorkInterrupted:
		return []Finding{{"rebuild", Warning, how + ": interrupted, and nobody is at it", again}}
	case projection.WorkFailed:
		return []Finding{{"rebuild", Problem, how + ": " + w.Failure, again}}
	}
	return nil
}
