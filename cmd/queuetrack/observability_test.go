package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"queuetrack/projection"
)

var observability = filepath.Join("..", "..", "deploy", "observability")

// rule is an alert or a recording of rules.yml.
type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	readYAML(t, "rules.yml", &file)
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(observability, name))
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// grafanaDashboard is what of Grafana's model counts here.
type grafanaDashboard struct {
	UID        string
	Templating struct {
		List []struct{ Query struct{ Query string } }
	}
	Panels []struct {
		ID         int
		Type       string
		Title      string
		Datasource struct{ UID string }
		GridPos    struct{ X, Y, W, H int }
		Targets    []struct{ Expr string }
	}
}

func readDashboard(t *testing.T) (d grafanaDashboard) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(observability, "grafana", "dashboards", "queuetrack.json"))
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Whatever alerts and dashboard ask for, a running server tells: each metric, each label, each value of a label.
func TestRulesAndDashboardAskForWhatIsTold(t *testing.T) {
	t.Parallel()
	told := scraped(t)
	var asked []string
	for _, r := range rules(t) {
		if r.Record != "" {
			told[r.Record] = told.of(r.Expr)
		}
		asked = append(asked, r.Expr)
	}
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			asked = append(asked, target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		asked = append(asked, v.Query.Query)
	}
	for _, expr := range asked {
		for _, wrong := range told.unknown(expr) {
			t.Errorf("%s\n  in: %s", wrong, expr)
		}
	}
	for expr, want := range map[string]string{ // the test of the test
		`rate(queuetrack_gone_total[5m])`:                           "nobody tells queuetrack_gone_total",
		`queuetrack_source_silent{vendor="x"} == 1`:                 "queuetrack_source_silent has no label vendor",
		`queuetrack_webhook_requests_total{result="lost"}`:          `queuetrack_webhook_requests_total has no result="lost"`,
		`sum by (queue) (queuetrack_source_silent)`:                 "nobody has the label queue",
		`queuetrack_webhook_in_flight / queuetrack_gone`:            "nobody tells queuetrack_gone",
		`max by (source) (queuetrack_source_silent{source="city"})`: "",
	} {
		if got := strings.Join(told.unknown(expr), "; "); got != want {
			t.Errorf("unknown in %s: %q, want %q", expr, got, want)
		}
	}
}

// metrics are what a scrape tells: of each name its labels, of each label its values.
type metrics map[string]map[string][]string

var (
	sample  = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? \S+$`)
	matcher = regexp.MustCompile(`([a-zA-Z_]\w*)(=~|!~|!=|=)"([^"]*)"`)
)

// scraped is what a server with work to do tells: a webhook came, and another process rebuilds.
func scraped(t *testing.T) metrics {
	t.Helper()
	p := cityParts(t)
	p.config.Sources[0].SilentAfter = time.Hour
	base, stop := serving(t, p)
	defer stop()
	if status, answer := ask(t, http.MethodPost, base+"/webhooks/city", cityTicket, signature(p)...); status != http.StatusOK {
		t.Fatalf("send: %d %s", status, answer)
	}
	eventually(t, "it is folded", func() bool { return count(t, p, `SELECT count(*) FROM history_0`) == 1 })
	var text string
	report := func(projection.Rebuilding) {
		if text == "" {
			_, text = ask(t, http.MethodGet, base+"/metrics", "")
		}
	}
	if _, err := p.rebuilder(slog.New(slog.DiscardHandler)).Rebuild(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	told := metrics{"up": {}}
	for _, line := range sample.FindAllStringSubmatch(text, -1) {
		labels := told[line[1]]
		if labels == nil {
			labels = map[string][]string{}
			told[line[1]] = labels
		}
		for _, pair := range matcher.FindAllStringSubmatch(line[2], -1) {
			labels[pair[1]] = append(labels[pair[1]], pair[3])
		}
	}
	for _, labels := range told { // Prometheus adds these
		labels["job"], labels["instance"] = []string{"queuetrack"}, []string{"queuetrack:8080"}
	}
	return told
}

var (
	literal  = regexp.MustCompile(`\[[^\]]*\]`) // [5m]
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	selector = regexp.MustCompile(`([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(\s*\()?`)
	keywords = []string{"and", "or", "unless", "bool", "offset", "source"} // the last one is what label_values asks for
)

// unknown says what of an expression nobody tells.
func (m metrics) unknown(expr string) (wrong []string) {
	expr = literal.ReplaceAllString(expr, "")
	for _, list := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(list[1], ",") {
			if !slices.ContainsFunc(slices.Collect(maps.Values(m)), func(labels map[string][]string) bool { return labels[strings.TrimSpace(label)] != nil }) {
				wrong = append(wrong, "nobody has the label "+strings.TrimSpace(label))
			}
		}
	}
	for _, found := range selector.FindAllStringSubmatch(grouping.ReplaceAllString(expr, ""), -1) {
		name, matchers, called := found[1], found[2], found[3] != ""
		if called || slices.Contains(keywords, name) {
			continue
		}
		labels, known := m[name]
		if !known {
			wrong = append(wrong, "nobody tells "+name)
			continue
		}
		for _, pair := range matcher.FindAllStringSubmatch(matchers, -1) {
			switch values, known := labels[pair[1]]; {
			case !known:
				wrong = append(wrong, fmt.Sprintf("%s has no label %s", name, pair[1]))
			case pair[2] == "=" && !slices.Contains(values, pair[3]):
				wrong = append(wrong, fmt.Sprintf("%s has no %s=%q", name, pair[1], pair[3]))
			}
		}
	}
	return wrong
}

// of are the labels of what an expression groups by, which is recorded under a name of its own.
func (m metrics) of(expr string) map[string][]string {
	labels := map[string][]string{}
	for _, list := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(list[1], ",") {
			labels[strings.TrimSpace(label)] = []string{}
		}
	}
	return labels
}

var command = regexp.MustCompile("`(queuetrack [^`]*)`")

// An alert says how bad it is, what is wrong, and what to do: with commands that there are.
func TestAlertsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if s := r.Labels["severity"]; s != "warning" && s != "critical" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if r.Annotations["summary"] == "" {
			t.Errorf("%s has no summary", r.Alert)
		}
		commands := command.FindAllStringSubmatch(r.Annotations["action"], -1)
		if len(commands) == 0 {
			t.Errorf("%s names no command: %q", r.Alert, r.Annotations["action"])
		}
		for _, c := range commands {
			if err := isCommand(strings.Fields(c[1])[1:]); err != nil {
				t.Errorf("%s: %s: %v", r.Alert, c[1], err)
			}
		}
	}
	for _, wrong := range []string{"rebuildd", "rebuild --faster", "quarantine mend"} { // the test of the test
		if isCommand(strings.Fields(wrong)) == nil {
			t.Errorf("%s passes as a command", wrong)
		}
	}
}

func isCommand(words []string) error {
	cmd, rest, err := newRoot(&app{}).Find(words)
	if err != nil {
		return err
	}
	for _, word := range rest {
		if name, isFlag := strings.CutPrefix(word, "--"); isFlag && cmd.Flags().Lookup(name) == nil {
			return fmt.Errorf("no flag %s", word)
		}
	}
	if len(rest) > 0 && cmd.HasSubCommands() {
		return fmt.Errorf("no subcommand %s", rest[0])
	}
	return nil
}

// Grafana does not run here, so at least: each panel is one, has its place to itself, and asks the source that is
// provisioned; the file is where the provider looks.
func TestDashboardIsWhole(t *testing.T) {
	t.Parallel()
	var sources struct{ Datasources []struct{ UID string } }
	readYAML(t, filepath.Join("grafana", "provisioning", "datasources", "prometheus.yml"), &sources)
	d := readDashboard(t)
	ids, taken := map[int]string{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if other, twice := ids[p.ID]; twice || p.ID == 0 {
			t.Errorf("%s has the id %d, as has %q", p.Title, p.ID, other)
		}
		ids[p.ID] = p.Title
		if p.Type != "row" && (len(p.Targets) == 0 || p.Datasource.UID != sources.Datasources[0].UID) {
			t.Errorf("%s asks %q %d times", p.Title, p.Datasource.UID, len(p.Targets))
		}
		g := p.GridPos
		if g.W == 0 || g.H == 0 || g.X+g.W > 24 {
			t.Errorf("%s does not fit: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s lies on %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if len(ids) == 0 {
		t.Error("no panels")
	}
}
