package dashboard

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"

	"queuetrack/api/render"
)

func mustRequest(t testing.TB, address string) *http.Request {
	return httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
}

var inputNames = regexp.MustCompile(`<(?:select|input)[^>]* name="([^"]+)"`)

// formNames are the parameters that the form of a page sends, each once.
func formNames(page string) (names []string) {
	_, form, _ := strings.Cut(page, `class="ask"`)
	form, _, _ = strings.Cut(form, "</form>")
	for _, match := range inputNames.FindAllStringSubmatch(form, -1) {
		names = append(names, match[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Whatever REST can be asked, the form can ask.
func TestFormsHaveAllParametersOfREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var document struct {
		Paths map[string]struct {
			Get struct{ Parameters []struct{ Name, In string } }
		}
	}
	if err := json.Unmarshal(send(w.dashboard.cfg.REST, mustRequest(t, "/openapi.json")).body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for page, path := range map[string]string{"/reports": "/v1/reports/waits", "/reports/estimates": "/v1/reports/estimates/backtest"} {
		var want []string
		for _, p := range document.Paths[path].Get.Parameters {
			if p.In == "query" && p.Name != "format" && p.Name != "min_position" {
				want = append(want, p.Name)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, formNames(w.page(page))); diff != "" {
			t.Errorf("%s (-REST +form):\n%s", page, diff)
		}
	}
}

// What a browser sends of a form without scripts leads to the address of the report, which keeps the form.
func TestFormLeadsToTheAddressOfItsReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	a := w.get("/reports?source=city&queue=&from=&to=&group_by=queue&group_by=day&location=&tz=&percentiles=&include=queue_length&include=drop_off&compare=previous")
	const want = "/reports?compare=previous&group_by=queue,day&include=queue_length,drop_off&source=city"
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != want {
		t.Fatalf("%d to %s, want %s", a.status, got, want)
	}
	page := w.page(want)
	shows(
		t, page, `<option value="city" selected>`, `<option value="queue" selected>`, `<option value="day" selected>`,
		`value="queue_length" checked/>`, `value="drop_off" checked/>`, `value="previous" checked/>`, `<details class="more" open>`,
		`<option value="37338">Passports</option>`, `href="/v1/reports/waits?compare=previous&amp;format=csv&amp;group_by=queue,day&amp;include=queue_length,drop_off&amp;source=city"`,
		`href="/reports/estimates?source=city"`, "Waits by queue, day", "<h2>Definitions</h2>",
	)
	if got := w.get("/reports?group_by=&group_by=").header.Get("Location"); got != "/reports" {
		t.Errorf("nothing leads to %q", got)
	}
}

// What is wrong is said at the top and beside the field, and what was typed is kept.
func TestMistakesStandBesideTheirFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for target, want := range map[string][]string{
		"/reports?source=city&from=noon&percentiles=0": {
			`<a href="#field-from">from is &#34;noon&#34;; give a date`, `<a href="#field-percentiles">`,
			`<input id="field-from" name="from" value="noon" autocomplete="off" spellcheck="false" aria-describedby="field-from-mistake" aria-invalid="true"/>`,
			`<p class="error" id="field-from-mistake">from is`, `aria-describedby="field-percentiles-mistake field-percentiles-hint" aria-invalid="true"`,
			`<details class="more" open>`,
		},
		"/reports?source=nowhere":                                  {`<option value="nowhere" selected>nowhere</option>`, "the configured ones are city, store"},
		"/reports?source=city&group_by=queue,colour":               {`<option value="colour" selected>colour</option>`, `id="field-group_by-mistake"`},
		"/reports?source=city&group_by=queue,day,hour":             {`<option value="day,hour" selected>`, "at most two are allowed"},
		"/reports?source=city&include=fish":                        {`value="fish" checked aria-invalid="true"/> fish`, `<a href="#field-include">`},
		"/reports?source=city&colour=red":                          {"There is no parameter &#34;colour&#34; here"},
		"/reports?source=city&source=store":                        {`<a href="#field-source">source is given 2 times; give it once.`, `<option value="city" selected>`},
		"/reports?source=city&location=Moon":                       {`<option value="Moon" selected>Moon</option>`, `<a href="#field-location">`},
		"/reports?source=city&from=2000-01-01&group_by=hour&to=x":  {`<input id="field-from" name="from" value="2000-01-01" type="date"/>`},
		"/reports?source=city&from=1980-01-01&group_by=queue,hour": {`<a href="#field-group_by">`},
		"/reports/estimates?source=city&to=1":                      {`<a href="#field-to">`},
		"/reports/estimates?source=city&group_by=queue":            {"There is no parameter &#34;group_by&#34; here"},
	} {
		a := w.get(target)
		if a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", target, a.status)
		}
		w.isPage(target, a)
		shows(t, a.body, append(want, `role="alert"`, "can&#39;t be understood")...)
		hides(t, a.body, "Download as CSV", "<h2>Definitions")
	}
}

// What anybody writes into an address is text on the page, and no more of it than can be read.
func TestHostileParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const script = `"'><script>alert(1)</script>`
	for _, path := range []string{"/reports", "/reports/estimates"} {
		for _, name := range []string{"source", "queue", "location", "from", "tz", "group_by", "include", "compare", "formula", "percentiles", "<script>"} {
			for what, value := range map[string]string{"script": script, "long": strings.Repeat("<b>x", 2500), "bytes": "\xff\x00\u202e"} {
				target := addressOf(path, url.Values{name: {value}})
				a := w.get(target)
				if a.status != http.StatusBadRequest && name != "queue" {
					t.Errorf("%s %s %s: %d", path, name, what, a.status)
				}
				w.isPage(path+" "+name+" "+what, a)
				if at := strings.Index(a.body, "<b>x"); at >= 0 || strings.Contains(a.body, "<script>alert") {
					t.Errorf("%s %s %s is markup", path, name, what)
				}
				if len(a.body) > 300_000 { // it is in links, too, and there percent-encoded
					t.Errorf("%s %s %s: a page of %d bytes", path, name, what, len(a.body))
				}
			}
		}
	}
}

// Days begin at other times in other zones: a report that needs one source takes one, and says so.
func TestSourceIsTakenWhereOneIsNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	page := w.page("/reports")
	shows(t, page, "so this is about one of them: <b>city</b>", `<option value="city" selected>`, "/v1/reports/waits?source=city")
	hides(t, w.page("/reports?tz=UTC"), "one of them")
	hides(t, w.page("/reports?source=store"), "one of them")
	there := choices{
		sources: []sourceState{{Source: "city", Timezone: "Europe/Tallinn"}, {Source: "store", Timezone: "Europe/Stockholm"}},
		queues:  []queueState{{Source: "city", Queue: "1"}, {Source: "store", Queue: "2"}},
	}
	asked := url.Values{"queue": {"2"}}
	if got := there.assume(asked); got != "store" || asked.Get("source") != "store" {
		t.Errorf("for a queue of store, %s is taken", got)
	}
}

// Windows are days of the zone that the report is in.
func TestWindowsAreLocalDays(t *testing.T) {
	t.Parallel()
	there := choices{sources: []sourceState{{Source: "city", Timezone: "Europe/Tallinn"}}}
	now := time.Date(2026, 12, 31, 22, 30, 0, 0, time.UTC) // half past midnight in Tallinn
	got := map[string]string{}
	for _, l := range windows(report{Path: "/reports"}, url.Values{"group_by": {"day"}, "from": {"2026-01-01"}, "to": {"2026-01-02"}}, there, now) {
		got[l.Name] = l.Address
		if l.Current {
			t.Errorf("%s is not what was asked for", l.Name)
		}
	}
	want := map[string]string{
		"Today":       "/reports?from=2027-01-01&group_by=day&to=2027-01-02",
		"Yesterday":   "/reports?from=2026-12-31&group_by=day&to=2027-01-01",
		"Last 7 days": "/reports?from=2026-12-26&group_by=day&to=2027-01-02",
		"This month":  "/reports?from=2027-01-01&group_by=day&to=2027-02-01",
		"Last month":  "/reports?from=2026-12-01&group_by=day&to=2027-01-01",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, l := range windows(report{Path: "/reports"}, url.Values{"tz": {"UTC"}}, there, now) {
		if l.Name == "Today" && !strings.Contains(l.Address, "from=2026-12-31") {
			t.Errorf("in UTC today is %s", l.Address)
		}
		if l.Current != (l.Name == "Last 7 days") {
			t.Errorf("without a window, %s is current: %t", l.Name, l.Current)
		}
	}
}

// What is to be copied into a shell is read there as it was meant.
func TestMeansAreForAShell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := url.Values{"queue": {`-a 'b' "$(id)" ` + "`id`;#"}, "group_by": {"queue,day"}}
	m := newMeans(w.dashboard.reports()[0], asked, input{origin: "http://x'y;z", signedIn: true})
	words := func(line, before string) []string {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "QUEUETRACK_KEY=qt_1; printf '%s\\n' "+strings.TrimPrefix(line, before)).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	if diff := cmp.Diff([]string{"-s", "-H", "Authorization: Bearer qt_1", "http://x'y;z" + m.REST}, words(m.Curl, "curl ")); diff != "" {
		t.Errorf("curl: %s", diff)
	}
	want := []string{"report", "waits", "--config", "queuetrack.yaml", "--group-by", "queue,day", "--queue", asked.Get("queue")}
	if diff := cmp.Diff(want, words(m.Command, "queuetrack ")); diff != "" {
		t.Errorf("command: %s", diff)
	}
	page := html.UnescapeString(w.page("/reports?source=city&group_by=queue"))
	shows(t, page, "curl -s 'http://127.0.0.1:8080/v1/reports/waits?group_by=queue&source=city'",
		"queuetrack report waits --config queuetrack.yaml --group-by queue --source city")
}

// A report that takes too long is said to, with the form as it was, and when to come again.
func TestReportThatTakesTooLongKeepsItsForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := New(Config{
		REST: w.dashboard.cfg.REST, Now: w.dashboard.cfg.Now,
		Waits: func(context.Context, url.Values) (render.WaitsPage, error) {
			return render.WaitsPage{}, context.DeadlineExceeded
		},
	})
	t.Cleanup(d.end)
	r := chi.NewRouter()
	d.Mount(r)
	out := httptest.NewRecorder()
	r.ServeHTTP(out, mustRequest(t, "/reports?source=city&from=2001-02-03&group_by=agent"))
	if out.Code != http.StatusServiceUnavailable || out.Header().Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", out.Code, out.Header().Get("Retry-After"))
	}
	shows(t, out.Body.String(), "The answer took too long", "a shorter window", `value="2001-02-03"`, `<option value="agent" selected>`, "Download as CSV")
}
