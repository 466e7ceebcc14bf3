//go:build linux

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	verifyTimeout = 2 * time.Minute
	// shownProblems bounds what a failed check prints.
	shownProblems = 30
)

// recovers goes on with the load after a fault is over, and checks.
func recovers(t *testing.T, l *load) {
	t.Helper()
	l.back(t)
	l.flow(t, between)
	check(t, l)
}

// check ends the load, and then everything that the package comment promises must hold.
func check(t *testing.T, l *load) {
	t.Helper()
	l.finish()
	problems := audit(t, l)
	for i, p := range problems {
		if i == shownProblems {
			t.Errorf("… and %d more", len(problems)-i)
			break
		}
		t.Error(p)
	}
	t.Logf("%d deliveries taken, %d attempts answered 503, %d not at all; the longest attempt took %v, the longest silence %v",
		len(l.answers), l.busy, l.lost, l.longest.Round(time.Millisecond), l.silence.Round(time.Millisecond))
}

// audit lists what does not hold. No sender may be at work.
func audit(t *testing.T, l *load) []string {
	t.Helper()
	problems := l.problems
	if l.longest > longestAnswer {
		problems = append(problems, fmt.Sprintf("an attempt took %v, more than %v", l.longest, longestAnswer))
	}
	l.w.ready()
	if !l.deliver(life(city, 9*ticketsEach+rand.IntN(ticketsEach), time.Now())[0]) {
		return append(problems, l.problems...)
	}
	rows := readLog(t, l.w)
	problems = append(problems, compare(l.answers, rows)...)
	l.w.caughtUp(tails(rows))
	problems = append(problems, differences(l.statuses, l.w.statuses())...)
	return append(problems, verify(t, l.w)...)
}

// row is what the log says of one event.
type row struct {
	source   string
	position int64
	digest   digest
}

// readLog reads the whole log, in order, past queuetrack.
func readLog(t *testing.T, w *world) []row {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background()) //nolint:errcheck // only read
	answer, _ := conn.Query(t.Context(), `SELECT source, position, digest FROM event ORDER BY source, position`)
	rows, err := pgx.CollectRows(answer, func(r pgx.CollectableRow) (event row, err error) {
		var sum []byte
		err = r.Scan(&event.source, &event.position, &sum)
		copy(event.digest[:], sum)
		return event, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// compare holds the log against what was answered: each answer is there once and at its place, with no hole and
// nothing else.
func compare(answers map[digest]answer, rows []row) (problems []string) {
	found, next := map[digest]int{}, map[string]int64{}
	for _, r := range rows {
		next[r.source]++
		if r.position != next[r.source] {
			problems = append(problems, fmt.Sprintf("%s: position %d follows %d", r.source, r.position, next[r.source]-1))
			next[r.source] = r.position
		}
		found[r.digest]++
		told, sent := answers[r.digest]
		switch {
		case !sent:
			problems = append(problems, fmt.Sprintf("%s:%d was never sent", r.source, r.position))
		case found[r.digest] > 1:
			problems = append(problems, fmt.Sprintf("%s:%d is a second copy of position %d", r.source, r.position, told.position))
		case told != (answer{r.source, r.position}):
			problems = append(problems, fmt.Sprintf("%s:%d was answered as %s:%d", r.source, r.position, told.source, told.position))
		}
	}
	for id, told := range answers {
		if found[id] == 0 {
			problems = append(problems, fmt.Sprintf("%s:%d was answered 200, and its delivery is not in the log", told.source, told.position))
		}
	}
	return problems
}

func tails(rows []row) map[string]int64 {
	tails := map[string]int64{}
	for _, r := range rows {
		tails[r.source] = r.position
	}
	return tails
}

// differences lists the tickets whose status is not what their last delivery told, by source and ticket.
func differences(told, got map[string]map[string]string) (problems []string) {
	for source, tickets := range told {
		for ticket, status := range tickets {
			if g := got[source][ticket]; g != status {
				problems = append(problems, fmt.Sprintf("%s ticket %s: status %q, want %q", source, ticket, g, status))
			}
		}
	}
	return problems
}

// verify runs the command.
func verify(t *testing.T, w *world) []string {
	t.Helper()
	cmd := w.command("verify")
	timer := time.AfterFunc(verifyTimeout, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if out, err := cmd.CombinedOutput(); err != nil {
		return []string{fmt.Sprintf("queuetrack verify: %v\n%s", err, out)}
	}
	return nil
}

// caughtUp waits until the read models are as far as the log.
func (w *world) caughtUp(tails map[string]int64) {
	w.t.Helper()
	eventually(w.t, "the read models catch up", backWithin, func() error {
		var health struct {
			Projections []struct {
				Source         string `json:"source"`
				Position, Tail int64
			} `json:"projections"`
		}
		if err := w.get("/readyz?verbose", &health); err != nil {
			return err
		}
		at := map[string]int64{}
		for _, p := range health.Projections {
			at[p.Source] = p.Position
		}
		for source, tail := range tails {
			if at[source] != tail {
				return fmt.Errorf("%s is at %d of %d", source, at[source], tail)
			}
		}
		return nil
	})
}

// statuses asks for all tickets, over REST.
func (w *world) statuses() map[string]map[string]string {
	w.t.Helper()
	all := map[string]map[string]string{}
	for _, source := range w.sources {
		statuses := map[string]string{}
		all[source] = statuses
		for cursor := ""; ; {
			var page struct {
				Items []struct{ Ticket, Status string } `json:"items"`
				Next  string                            `json:"next"`
			}
			query := url.Values{"source": {source}, "limit": {"1000"}}
			if cursor != "" {
				query.Set("cursor", cursor)
			}
			if err := w.get("/v1/tickets?"+query.Encode(), &page); err != nil {
				w.t.Fatal(err)
			}
			for _, item := range page.Items {
				statuses[item.Ticket] = item.Status
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
	}
	return all
}

// get reads a JSON answer.
func (w *world) get(path string, into any) error {
	client := &http.Client{Timeout: 2 * longestAnswer}
	defer client.CloseIdleConnections()
	resp, err := client.Get(w.base + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", path, resp.StatusCode)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
