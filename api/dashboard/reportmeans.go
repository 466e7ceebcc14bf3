package dashboard

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// means are the other ways to the numbers of a report.
type means struct {
	REST, CSV     string // addresses; CSV may be empty
	Curl, Command string // for a shell
}

func newMeans(kind report, asked url.Values, in input) means {
	m := means{REST: addressOf(kind.rest, asked), Command: kind.command + " --config queuetrack.yaml"}
	if kind.csv {
		query := maps.Clone(asked)
		query.Set("format", "csv")
		m.CSV = addressOf(kind.rest, query)
	}
	m.Curl = "curl -s "
	if in.signedIn {
		m.Curl += `-H "Authorization: Bearer $QUEUETRACK_KEY" `
	}
	m.Curl += quoted(in.origin + m.REST)
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		m.Command += " --" + strings.ReplaceAll(name, "_", "-") + " " + quoted(asked.Get(name))
	}
	return m
}

// harmless is what no shell reads anything into.
var harmless = regexp.MustCompile(`^[A-Za-z0-9_,.:/+][A-Za-z0-9_,.:/+-]*$`)

// quoted is a word for a shell that means itself.
func quoted(word string) string {
	if harmless.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
