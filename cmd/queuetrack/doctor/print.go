package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Print writes the findings for a person. Colour is never the only sign: each line begins with its verdict.
func Print(w io.Writer, sections []Section, colour bool) error {
	width := 0
	for _, s := range sections {
		for _, f := range s.Findings {
			width = max(width, utf8.RuneCountInString(f.Check))
		}
	}
	var b strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&b, "%s\n", s.Title)
		for _, f := range s.Findings {
			fmt.Fprintf(&b, "  %s  %-*s  %s\n", f.Verdict.painted(colour), width, f.Check, f.Found)
			if f.Do != "" {
				fmt.Fprintf(&b, "  %*s  → %s\n", len(Problem)+2+width, "", f.Do)
			}
		}
		b.WriteString("\n")
	}
	fmt.Fprintln(&b, Summary(sections))
	_, err := io.WriteString(w, b.String())
	return err
}

// painted is the verdict, as wide as the longest one.
func (v Verdict) painted(colour bool) string {
	text := fmt.Sprintf("%-*s", len(Problem), v)
	if !colour {
		return text
	}
	return v.ink() + text + "\x1b[0m"
}

func (v Verdict) ink() string {
	switch v {
	case OK:
		return "\x1b[32m"
	case Note:
		return "\x1b[36m"
	case Warning:
		return "\x1b[33m"
	case Problem:
		return "\x1b[1;31m"
	}
	return ""
}

// Summary counts the findings: "2 problems, 1 warning, 12 ok".
func Summary(sections []Section) string {
	var parts []string
	for _, v := range Verdicts() {
		switch n := Count(sections, v); {
		case n == 0:
		case n == 1 || v == OK:
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n, v))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing was looked at")
}

// PrintJSON writes the findings for a program.
func PrintJSON(w io.Writer, sections []Section) error {
	answer := struct {
		OK       bool      `json:"ok"` // nothing is a problem
		Problems int       `json:"problems"`
		Warnings int       `json:"warnings"`
		Notes    int       `json:"notes"`
		Sections []Section `json:"sections"`
	}{
		Problems: Count(sections, Problem), Warnings: Count(sections, Warning), Notes: Count(sections, Note), Sections: sections,
	}
	answer.OK = answer.Problems == 0
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(answer)
}
