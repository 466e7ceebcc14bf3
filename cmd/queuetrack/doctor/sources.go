package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"queuetrack/eventstore"
)

// Source is what the configuration says of one.
type Source struct {
	Name        string
	Header      string   // that its vendor proves itself with; empty: not known
	Unsigned    string   // what to do when it is missing
	Secrets     []string // their names, the newest first
	SilentAfter time.Duration
	Zone        *time.Location
}

// Sources is a look at the logs of the configured sources.
type Sources struct {
	Log        *eventstore.Log
	Configured []Source
	Now        func() time.Time
}

// latest is how many of a source's latest events are looked at.
const latest = 1000

// lately bounds what of the past still asks for something to be done.
const lately = 24 * time.Hour

// Checks are a section for each source.
func (s Sources) Checks() []Check {
	var checks []Check
	for _, one := range s.Configured {
		check := func(name string, look func(context.Context, Source) ([]Finding, error)) {
			checks = append(checks, Check{"source " + one.Name, name, func(ctx context.Context) ([]Finding, error) { return look(ctx, one) }})
		}
		check("webhooks", s.webhooks)
		check("secrets in use", s.secrets)
		check("quarantine", s.quarantine)
	}
	return checks
}

// Unknown looks for logs of sources that nobody has configured.
func (s Sources) Unknown(ctx context.Context) ([]Finding, error) {
	tails, err := s.Log.Tails(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range s.Configured {
		delete(tails, one.Name)
	}
	var found []Finding
	for _, name := range slices.Sorted(maps.Keys(tails)) {
		found = append(found, Finding{
			"log of " + name, Warning, fmt.Sprintf("the log has %s of %s, which is not configured: nothing of it is folded or answered", counted(tails[name], "event"), name),
			"configure it again (a rebuild refuses to lose it), or leave it be if it is gone for good",
		})
	}
	return found, nil
}

// webhooks tells what comes in, what is refused, and what comes twice.
func (s Sources) webhooks(ctx context.Context, one Source) ([]Finding, error) {
	all, err := s.Log.Stats(ctx, []string{one.Name})
	if err != nil {
		return nil, err
	}
	refused, err := s.Log.Rejections(ctx, one.Name)
	if err != nil {
		return nil, err
	}
	stats := all[0]
	found := one.refusals(stats, refused, s.Now())
	return slices.Concat([]Finding{one.arrivals(stats, s.Now())}, found, repeats(stats)), nil
}

// arrivals judges when the last webhook came.
func (one Source) arrivals(stats eventstore.Stats, now time.Time) Finding {
	f := Finding{"webhooks", OK, "", ""}
	if stats.LastReceivedAt.IsZero() {
		f.Verdict, f.Found = Note, "none has come yet"
		f.Do = fmt.Sprintf("point the vendor at https://YOUR-HOST/webhooks/%s (README: Point a vendor at it), or try 'queuetrack send --source %s'", one.Name, one.Name)
		return f
	}
	ago := now.Sub(stats.LastReceivedAt)
	f.Found = fmt.Sprintf("%s; the last webhook came %s ago", counted(stats.Tail, "event"), long(max(0, ago)))
	if one.SilentAfter > 0 && ago > one.SilentAfter {
		f.Verdict, f.Found = Problem, f.Found+fmt.Sprintf(": silent for longer than %v (silent_after)", one.SilentAfter)
		f.Do = "see whether the vendor's webhook is still switched on, and whether its requests reach /webhooks/" + one.Name
	}
	return f
}

// repeats judges the share of duplicates: a vendor that does not hear our answers sends again.
func repeats(stats eventstore.Stats) []Finding {
	const many = 100
	if stats.Duplicates < many || stats.Duplicates*4 < stats.Tail {
		return nil
	}
	return []Finding{{
		"duplicates", Warning, fmt.Sprintf("%d deliveries were known already, beside %d events", stats.Duplicates, stats.Tail),
		"see whether the vendor hears the answers in time (a proxy's timeout), or has the webhook registered twice",
	}}
}

// secrets tells which of them verify, of the latest events.
func (s Sources) secrets(ctx context.Context, one Source) ([]Finding, error) {
	l, err := s.Log.Lately(ctx, one.Name, latest)
	if err != nil || l.Events == 0 || len(one.Secrets) == 0 {
		return nil, err
	}
	return one.inUse(l), nil
}

// inUse judges a change of secrets: the newest is listed first.
func (one Source) inUse(l eventstore.Lately) []Finding {
	const name = "secrets in use"
	newest := l.VerifiedBy[one.Secrets[0]]
	var stale, others []string
	for _, old := range one.Secrets[1:] {
		switch last := l.VerifiedBy[old]; {
		case last.Before(newest.Add(-lately)):
			stale = append(stale, old)
		case !last.IsZero():
			others = append(others, old)
		}
	}
	switch {
	case newest.IsZero() && len(others) > 0:
		return []Finding{{name, Note, fmt.Sprintf("only %s verifies, %s has not yet: the vendor has not switched", strings.Join(others, ", "), one.Secrets[0]), "change the secret at the vendor; take the old one out once it no longer verifies"}}
	case newest.IsZero():
		return []Finding{{name, Note, fmt.Sprintf("none of the latest %d events was verified by a secret that is configured now", l.Events), "see whether the next webhook comes through"}}
	case len(stale) > 0:
		return []Finding{{name, Note, fmt.Sprintf("%s verifies; %s is not used any more", one.Secrets[0], strings.Join(stale, ", ")), "take what is not used out of the configuration, and send serve a HUP"}}
	case len(others) > 0:
		return []Finding{{name, Note, fmt.Sprintf("%s verifies, and so does %s still: the change is under way", one.Secrets[0], strings.Join(others, ", ")), ""}}
	}
	return []Finding{{name, OK, one.Secrets[0] + " verifies", ""}}
}
