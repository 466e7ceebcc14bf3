package render

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"queuetrack/projection/wait"
)

func TestDefinitionsFitATerminal(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]Definitions{"waits": WaitsExplained(), "estimates": EstimatesExplained()} {
		var out strings.Builder
		if err := d.WriteText(&out); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if utf8.RuneCountInString(line) > tableWidth {
				t.Errorf("%s: too wide: %s", name, line)
			}
		}
	}
}

// Whatever an answer has a name for is defined.
func TestEveryNumberIsDefined(t *testing.T) {
	t.Parallel()
	var text, answer strings.Builder
	m := newMaker(t, wait.ByQueue, wait.ByDay)
	m.request.QueueLength, m.request.DropOff, m.request.Compare = true, true, true
	if err := errors.Join(WaitsExplained().WriteText(&text), m.report().WriteJSON(&answer)); err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, word := range strings.FieldsFunc(text.String(), func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		said[word] = true
	}
	words := append(keysOf(t, answer.String()), exclusions...)
	for _, key := range wait.GroupKeys {
		words = append(words, string(key))
	}
	percentile := regexp.MustCompile(`^p[0-9]+$`)
	for _, word := range words {
		short := strings.TrimSuffix(word, "_seconds")
		if !said[word] && !said[short] && !percentile.MatchString(short) {
			t.Errorf("%s is not defined", word)
		}
	}
}

// keysOf are the keys of every object of a document.
func keysOf(t *testing.T, document string) (keys []string) {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(document), &root); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "positions") // whose keys are sources
			for key, value := range v {
				if !slices.Contains(keys, key) {
					keys = append(keys, key)
				}
				walk(value)
			}
		case []any:
			for _, value := range v {
				walk(value)
			}
		}
	}
	walk(root)
	return keys
}
