// Package doctor is what `queuetrack doctor` is made of: checks that look and change nothing, what they find, and how it
// is shown.
//
// A check looks at one thing within a bounded time and returns findings. Each is a line of what is so and, where there is
// something to do, a line of what that is. What needs only the database is here: the server, the sources' logs, clocks,
// projections. What needs the configuration's files and secrets, the command brings along.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Verdict says how bad a finding is.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Note    Verdict = "note"    // worth knowing; nothing is wrong
	Warning Verdict = "warning" // works now, and is likely to hurt
	Problem Verdict = "problem" // does not work, or loses data
)

// Verdicts lists them, the worst first.
func Verdicts() []Verdict { return []Verdict{Problem, Warning, Note, OK} }

// Finding is what a check found: a line of what is so, and a line of what to do about it.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Found   string  `json:"found"`
	Do      string  `json:"do,omitempty"` // empty: nothing
}

// Section is the findings about one subject.
type Section struct {
	Title    string    `json:"title"`
	Findings []Finding `json:"findings"`
}

// Check is one look. An error is a finding, too: that it could not look.
type Check struct {
	Section string
	Name    string // of the finding when it could not look
	Look    func(context.Context) ([]Finding, error)
}

// Examine makes the checks in order, each within a time, and returns their findings by section, in order. A check that
// does not come back is left behind.
func Examine(ctx context.Context, checks []Check, within time.Duration) []Section {
	var sections []Section
	for _, c := range checks {
		if len(sections) == 0 || sections[len(sections)-1].Title != c.Section {
			sections = append(sections, Section{Title: c.Section})
		}
		s := &sections[len(sections)-1]
		for _, f := range c.examine(ctx, within) {
			f.Found, f.Do = line(f.Found), line(f.Do)
			s.Findings = append(s.Findings, f)
		}
	}
	return slices.DeleteFunc(sections, func(s Section) bool { return len(s.Findings) == 0 })
}

func (c Check) examine(ctx context.Context, within time.Duration) []Finding {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	found := make(chan []Finding, 1)
	go func() {
		findings, err := c.Look(ctx)
		if err != nil {
			findings = append(findings, Finding{c.Name, Problem, fmt.Sprintf("could not look: %v", err), ""})
		}
		found <- findings
	}()
	select {
	case findings := <-found:
		return findings
	case <-ctx.Done():
		return []Finding{{c.Name, Problem, fmt.Sprintf("no answer within %v", within), "look at it when the machine and the database have less to do"}}
	}
}

// line is text for one line of a terminal: what a sender or a server wrote may hold line ends, and more that one obeys.
func line(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// counted is "1 event" or "3 events".
func counted[N int | int64](n N, noun string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// long is a duration as exact as a person wants it.
func long(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d.Abs() >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d.Abs() >= time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	case d.Abs() >= time.Second:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

// Count tells how many findings have the verdict.
func Count(sections []Section, v Verdict) (n int) {
	for _, s := range sections {
		for _, f := range s.Findings {
			if f.Verdict == v {
				n++
			}
		}
	}
	return n
}
