package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"testing"
	"time"
)

// independent is testdata/count.py at work: a process that was told all deliveries and is asked questions. It may be asked
// ahead, and works while the product does; answers come in the order of the questions.
type independent struct {
	t       *testing.T
	in      io.WriteCloser
	answers chan []byte
}

// mostAhead is how many questions may be asked ahead; more, and it would wait for us to listen.
const mostAhead = 1000

const countScript = "../../testdata/count.py"

// startCount tells the deliveries to the independent count.
func startCount(t *testing.T, c config, m month, deliveries []monthDelivery) *independent {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("the independent count needs python3 (3.9 or later) on the PATH, and its time zones: install the packages python3 and tzdata")
	}
	cmd := exec.CommandContext(t.Context(), python, "-B", countScript)
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	i := &independent{t: t, in: in, answers: make(chan []byte, mostAhead)}
	go i.listen(out)
	t.Cleanup(func() {
		_ = in.Close()
		for range i.answers { // until it has ended
		}
		_ = cmd.Wait()
	})
	for _, s := range c.Sources {
		i.tell("source", countedSource(s))
	}
	sweeps := m.sweeps()
	for _, d := range deliveries {
		for len(sweeps) > 0 && !d.at.Before(sweeps[0]) {
			i.tell("sweep", sweeps[0])
			sweeps = sweeps[1:]
		}
		i.tell("delivery", map[string]any{"source": d.source, "received_at": d.at, "body": d.body})
	}
	for _, sweep := range sweeps {
		i.tell("sweep", sweep)
	}
	return i
}

// countedSource are the settings that a number depends on.
func countedSource(s sourceConfig) map[string]any {
	queues := map[string]any{}
	for id, q := range s.Queues {
		queues[id] = map[string]any{"name": q.Name, "location": q.Location}
	}
	return map[string]any{
		"name": s.Name, "kind": s.Kind, "timezone": s.Location.String(), "serving_tab": s.ServingTab, "unassigned_owner": max(1, s.UnassignedOwner),
		"context": s.Context, "expire_after": int(s.ExpireAfter / time.Second), "replay_window": int(s.ReplayWindow / time.Second), "queues": queues,
	}
}

func (i *independent) tell(kind string, value any) {
	i.t.Helper()
	line, err := json.Marshal(map[string]any{kind: value})
	if err == nil {
		_, err = fmt.Fprintf(i.in, "%s\n", line)
	}
	if err != nil {
		i.t.Fatalf("tell the independent count: %v", err)
	}
}

func (i *independent) listen(out io.Reader) {
	defer close(i.answers)
	for r := bufio.NewReaderSize(out, 1<<20); ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		i.answers <- line
	}
}

// next is the answer to the next question of those asked.
func (i *independent) next() any {
	i.t.Helper()
	line, there := <-i.answers
	if !there {
		i.t.Fatal("the independent count has ended; what it printed comes before this")
	}
	return decoded(i.t, line)
}

func (i *independent) answer(kind string, value any) any {
	i.t.Helper()
	i.tell(kind, value)
	return i.next()
}

// ask asks for a report, with the parameters of the product.
func (i *independent) ask(q url.Values, now time.Time) {
	i.t.Helper()
	asked := map[string]string{"now": now.UTC().Format(time.RFC3339)}
	for name := range q {
		asked[name] = q.Get(name)
	}
	i.tell("report", asked)
}

// report is the answer to what is asked now.
func (i *independent) report(q url.Values, now time.Time) any {
	i.t.Helper()
	i.ask(q, now)
	return i.next()
}

func decoded(t *testing.T, body []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("%v in %.200s", err, body)
	}
	return value
}
