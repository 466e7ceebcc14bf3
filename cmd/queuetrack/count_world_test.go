package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
)

// monthConfig names some queues and places, and leaves others to the vendors.
const monthConfig = `
sources:
  - name: city
    kind: qminder
    public_url: https://hooks.example.com/webhooks/city
    secrets: [a-secret-of-the-city]
    timezone: Europe/Tallinn
    queues:
      "37338": {name: Passports, location: City Hall}
      "37339": {location: "1180"}
      "37340": {name: Benefits, location: Annex}
  - name: store
    kind: ombori
    header: Authorization
    secrets: [Bearer a-header-of-the-store]
    timezone: Europe/Stockholm
    serving_tab: %t
    queues:
      b23bea4f-8e8a-4da6-b413-04454f8428aa: {name: Kitchens}
      dd31dda9-5ec0-46c6-a75b-71cb1f66a48d: {name: Pick-up, location: Annex}
  - name: crm
    kind: superoffice
    secrets: [a-secret-of-the-desk]
    timezone: Europe/Oslo
    context: Cust31038
    queues:
      "2": {name: Support}
      "3": {name: Billing, location: Annex}
`

// monthWorld is a server for each source, all on one database: each has a clock of its own, the receipt times of its
// deliveries.
type monthWorld struct {
	t      *testing.T
	month  month
	config config
	nodes  map[string]*monthNode
	told   map[string]int // answers of the door, by "source status"
}

type monthNode struct {
	config sourceConfig
	parts  *parts
	work   *rebuilds
	clock  atomic.Pointer[time.Time]
	url    string
}

func (n *monthNode) now() time.Time { return *n.clock.Load() }

func newMonthWorld(t *testing.T, m month) *monthWorld {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	w := &monthWorld{t: t, month: m, nodes: map[string]*monthNode{}, told: map[string]int{}}
	w.must(os.WriteFile(path, fmt.Appendf(nil, monthConfig, m.servingTab), 0o600))
	c, err := (&app{flags: globalFlags{config: path}}).loadConfig()
	w.must(err)
	w.config = c
	pool := dbtest.New(t)
	for _, s := range c.Sources {
		p, err := newParts(c, pools{pool, pool, pool})
		w.must(err)
		n := &monthNode{config: s, parts: p}
		n.clock.Store(&m.from)
		whole := newServer(p, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), n.now)
		server := httptest.NewServer(whole.handler)
		t.Cleanup(server.Close)
		n.work, n.url = whole.rebuilds, server.URL
		w.nodes[s.Name] = n
	}
	return w
}

// sweeps are when silent tickets are expired: once a day.
func (m month) sweeps() []time.Time {
	var all []time.Time
	for at := m.from.Add(4*time.Hour + 631*time.Second); at.Before(m.to); at = at.Add(24 * time.Hour) {
		all = append(all, at)
	}
	return all
}

// post sends the deliveries, each source's in order, and sweeps in between.
func (w *monthWorld) post(all map[string][]monthDelivery) {
	rest := map[string][]monthDelivery{}
	for source, sent := range all {
		rest[source] = sent
	}
	for _, sweep := range append(w.month.sweeps(), w.month.to) {
		var group errgroup.Group
		answers := map[string][]string{}
		for source, sent := range rest {
			n := 0
			for n < len(sent) && sent[n].at.Before(sweep) {
				n++
			}
			due, told := sent[:n], make([]string, n)
			rest[source], answers[source] = sent[n:], told
			group.Go(func() error { return w.nodes[source].post(w.t.Context(), due, told) })
		}
		w.must(group.Wait())
		for source, told := range answers {
			for _, status := range told {
				w.told[source+" "+status]++
			}
		}
		w.fold()
		if sweep.Before(w.month.to) {
			_, err := w.node().parts.expirer(func() time.Time { return sweep }).ExpireOnce(w.t.Context())
			w.must(err)
		}
	}
	for _, n := range w.nodes {
		n.clock.Store(&w.month.to)
	}
	checkEverything(w.t.Context(), w.t, w.node().parts)
}

// post sends deliveries, signed, each at its time; it notes the answers.
func (n *monthNode) post(ctx context.Context, deliveries []monthDelivery, answers []string) error {
	for i, d := range deliveries {
		n.clock.Store(&d.at)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/webhooks/"+d.source, strings.NewReader(d.body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		new(story).sign(req.Header, n.config, "", []byte(d.body))
		body, err := answerOf(req)
		if err != nil {
			return fmt.Errorf("post %s: %w", d.body, err)
		}
		_, status, _ := strings.Cut(string(body), `"status":"`)
		answers[i], _, _ = strings.Cut(status, `"`)
	}
	return nil
}

func answerOf(req *http.Request) ([]byte, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(body))
	}
	return body, err
}

// node is any of them: they answer the same.
func (w *monthWorld) node() *monthNode { return w.nodes["city"] }

// fold folds what is in the log.
func (w *monthWorld) fold() {
	w.must(w.node().parts.runner(slog.New(slog.DiscardHandler), 0).CatchUp(w.t.Context()))
}

func (w *monthWorld) rebuild() {
	_, err := w.node().work.Rebuild(w.t.Context(), func(projection.Rebuilding) {})
	w.must(err)
	w.fold()
	checkEverything(w.t.Context(), w.t, w.node().parts)
}

// ask is the answer to a question.
func (w *monthWorld) ask(path string, q url.Values) []byte {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.node().url+path+"?"+q.Encode(), nil)
	w.must(err)
	body, err := answerOf(req)
	if err != nil {
		w.t.Fatalf("GET %s?%s: %v", path, q.Encode(), err)
	}
	return body
}

func (w *monthWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
