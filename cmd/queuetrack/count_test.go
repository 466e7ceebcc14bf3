package main

import (
	"bytes"
	"maps"
	"net/url"
	"testing"
)

const reportPath = "/v1/reports/waits"

// TestCount holds the wait report against an independent count (testdata/count.py), which shares nothing with it but the
// deliveries: two months of three sources, posted one by one over HTTP, each received at its time. Every cell of every
// question must be the same, to the second and to the last digit, live and after a rebuild.
func TestCount(t *testing.T) {
	t.Parallel()
	for _, m := range months {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			w := newMonthWorld(t, m)
			deliveries := m.deliveries()
			count := startCount(t, w.config, m, byReceipt(deliveries))
			count.tell("door", struct{}{})
			questions := m.questions()
			for _, q := range questions {
				count.ask(q, m.to)
			}

			w.post(deliveries)
			w.agreeOnDoor(count.next())
			answers := make([][]byte, len(questions))
			for i, q := range questions {
				answers[i] = w.agree(q, count.next())
			}
			w.checkVariety(deliveries)
			w.checkSums()
			w.checkLaw(count)
			w.checkBoard(count)

			w.rebuild()
			for i, q := range questions {
				if again := w.ask(reportPath, q); !bytes.Equal(answers[i], again) {
					t.Errorf("%s: answered otherwise after a rebuild", describeQuestion(q))
				}
			}
			if m.name == sabotagedMonth {
				t.Run("sabotage", func(t *testing.T) { w.checkSabotage(t, deliveries, count) })
			}
		})
	}
}

// agree asks the product too, tells how the answers differ, and returns the product's.
func (w *monthWorld) agree(q url.Values, counted any) []byte {
	w.t.Helper()
	body, question := w.ask(reportPath, q), describeQuestion(q)
	answer := withoutPositions(w.t, body)
	w.tellDifferences(question, differences(counted, answer))
	w.checkItems(question, itemsOf(answer))
	return body
}

// withoutPositions is the answer without what the independent count has no word for.
func withoutPositions(t *testing.T, body []byte) any {
	answer := decoded(t, body).(map[string]any)
	delete(answer, "positions")
	return answer
}

// mostDifferences is how many differences of one question are told.
const mostDifferences = 12

func (w *monthWorld) tellDifferences(question string, found []string) {
	w.t.Helper()
	for i, d := range found {
		if i == mostDifferences {
			w.t.Errorf("%s: and %d more", question, len(found)-i)
			return
		}
		w.t.Errorf("%s:\n%s", question, d)
	}
}

// agreeOnDoor compares what became of the deliveries: accepted, duplicates, quarantined, pings.
func (w *monthWorld) agreeOnDoor(answer any) {
	w.t.Helper()
	counted := map[string]int{}
	for source, by := range answer.(map[string]any) {
		for status, n := range by.(map[string]any) {
			counted[source+" "+status] = int(n.(float64))
		}
	}
	if !maps.Equal(counted, w.told) {
		w.t.Errorf("the door: counted %v, answered %v", counted, w.told)
	}
	w.t.Logf("the door answered %v", w.told)
}
