package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"queuetrack/api/ingest"
	"queuetrack/eventstore"
)

// enough refused requests in a row, with nothing accepted in between, are the vendor's.
const enough = 3

// refusals judges what was refused, by cause: what still happens is more than noise, and worst when nothing else comes.
func (one Source) refusals(stats eventstore.Stats, refused []eventstore.Rejection, now time.Time) []Finding {
	newest, since := map[string]eventstore.Rejection{}, map[string]int{}
	for _, r := range refused { // the newest first
		if _, known := newest[r.Cause]; !known {
			newest[r.Cause] = r
		}
		if r.ReceivedAt.After(stats.LastReceivedAt) {
			since[r.Cause]++
		}
	}
	var found []Finding
	for _, cause := range slices.Sorted(maps.Keys(stats.Rejected)) {
		r := newest[cause] // none: pushed out by others long ago
		f := Finding{"refused: " + cause, OK, fmt.Sprintf("%s, none lately", counted(stats.Rejected[cause], "request")), ""}
		if now.Sub(r.ReceivedAt) < lately {
			f.Verdict = Warning
			f.Found = fmt.Sprintf("%s, the last one %s ago", counted(stats.Rejected[cause], "request"), long(max(0, now.Sub(r.ReceivedAt))))
			f.Do = one.hint(ingest.Cause(cause), r.Headers)
			switch {
			case ingest.Cause(cause) == ingest.CauseMethod:
				f.Verdict = Note // whoever looks at the address with a browser
			case stats.LastReceivedAt.IsZero(), since[cause] >= enough: // less may be any stranger
				f.Verdict = Problem
				f.Found += "; nothing was accepted since"
			}
		}
		found = append(found, f)
	}
	return found
}

// hint is what to do about requests that are refused for a cause. headers are the names that the latest one had.
func (one Source) hint(cause ingest.Cause, headers []string) string {
	switch cause {
	case ingest.CauseMethod:
		return "a webhook is a POST: if this is more than somebody's browser, have the vendor send POST"
	case ingest.CauseContentType:
		return "have the vendor send Content-Type: application/json, and the proxy leave it as it is"
	case ingest.CauseEncoding:
		return "something compresses the bodies on the way: have the proxy pass them on unchanged"
	case ingest.CauseTooLarge:
		return "no vendor's webhook is larger than 1 MiB: see who sends these"
	case ingest.CauseTruncated, ingest.CauseSlow:
		return "bodies don't arrive whole within 10 s: see what the proxy and the network in between do"
	case ingest.CauseBusy:
		return "the log could not be written in time, and the vendor was told to try again: see the database's findings"
	case ingest.CauseSignature:
		if one.Header != "" && !slices.ContainsFunc(headers, func(h string) bool { return strings.EqualFold(h, one.Header) }) {
			return "the last one had no header " + one.Header + ": " + one.Unsigned
		}
		return "capture one delivery, and 'queuetrack config check --signature captured.http' says what is different (README: Point a vendor at it)"
	}
	return ""
}

// quarantine tells what is kept and can't be used.
func (s Sources) quarantine(ctx context.Context, one Source) ([]Finding, error) {
	held, err := s.Log.Quarantine(ctx, one.Name, one.Name, 0, latest)
	if err != nil {
		return nil, err
	}
	return one.kept(held, s.Now()), nil
}

// kept judges what is in quarantine and was not retried.
func (one Source) kept(held []eventstore.Held, now time.Time) []Finding {
	causes := map[string]int{}
	replays, n := true, 0
	var last time.Time
	for _, h := range held {
		if h.RetriedAs != 0 {
			continue
		}
		n++
		causes[causeOf(h)]++
		replays = replays && h.Replay()
		last = h.ReceivedAt
	}
	if n == 0 {
		return []Finding{{"quarantine", OK, "empty", ""}}
	}
	var parts []string
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		parts = append(parts, fmt.Sprintf("%d × %s", causes[cause], cause))
	}
	more := ""
	if len(held) == latest {
		more = " or more"
	}
	f := Finding{"quarantine", Warning, fmt.Sprintf("%s%s kept and not folded: %s", counted(n, "event"), more, some(parts)), ""}
	f.Do = fmt.Sprintf("'queuetrack quarantine list --source %s' shows them; 'quarantine retry' once what is wrong is mended, or when a replay was genuine", one.Name)
	if replays || now.Sub(last) > 7*lately {
		f.Verdict = Note
	}
	return []Finding{f}
}

// causeOf is a cause without what tells one event from another of the same kind.
func causeOf(h eventstore.Held) string {
	if h.Replay() {
		return "a replay"
	}
	cause, _, _ := strings.Cut(h.Quarantined, ":")
	const most = 60
	if len(cause) > most {
		cause = cause[:most] + "…"
	}
	return cause
}
