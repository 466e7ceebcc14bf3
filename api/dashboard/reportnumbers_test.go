package dashboard

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tables reads the tables of a page by their captions, the head first. Of two that are called the same (a chart's, and that of
// the groups asked for) it is the last.
func tables(t *testing.T, page string) map[string][][]string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	all, caption, text := map[string][][]string{}, "", ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch token.Name.Local {
			case "tr":
				all[caption] = append(all[caption], nil)
			case "caption", "th", "td":
				text = ""
			}
		case xml.CharData:
			text += string(token)
		case xml.EndElement:
			switch token.Name.Local {
			case "caption":
				caption = text
				all[caption] = nil
			case "th", "td":
				last := len(all[caption]) - 1
				all[caption][last] = append(all[caption][last], text)
			}
		}
	}
}

// item is one of a report's items as JSON has it.
type item map[string]any

// number finds a number by its path; false where JSON has null.
func (i item) number(path ...string) (float64, bool) {
	value := any(map[string]any(i))
	for _, name := range path {
		inner, ok := value.(map[string]any)
		if !ok {
			return 0, false
		}
		value = inner[name]
	}
	v, ok := value.(float64)
	return v, ok
}

// cell is what the page must show in a column, told by REST alone.
func (i item) cell(column, set string) string {
	write, path := whole64, []string{strings.ReplaceAll(column, " ", "_")}
	switch {
	case column == "waits" || column == "services" || column == "gave up":
		path = []string{set, "n"}
	case column == "mean" || column == "max" || column[0] == 'p' && column[1] <= '9':
		write, path = clocked, []string{set, column + "_seconds"}
	case column == "SL":
		write, path = hundredths, []string{"service_level", "value"}
	case column == "served within" || column == "abandoned within":
		path = []string{"service_level", path[0]}
	case column == "mean length":
		write, path = decimals, []string{"queue_length", "mean"}
	case column == "most at once":
		path = []string{"queue_length", "max"}
	}
	v, known := i.number(path...)
	if !known {
		return absent
	}
	return write(v)
}

func whole64(v float64) string    { return fmt.Sprint(int64(v)) }
func decimals(v float64) string   { return fmt.Sprintf("%.2f", v) }
func hundredths(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

func clocked(v float64) string {
	d := time.Duration(math.Round(v)) * time.Second
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// sets are the tables of a wait report, each with the part of an item that its times are of, and its columns.
var sets = []struct{ caption, of string }{{"Waits", "wait"}, {"Outcomes", ""}, {"Waits of those who gave up", "abandoned_wait"}}

// ask asks REST for items.
func (w *world) ask(address string) (items []item) {
	w.t.Helper()
	a := send(w.dashboard.cfg.REST, mustRequest(w.t, address))
	var answer struct{ Items []item }
	if err := json.Unmarshal(a.body.Bytes(), &answer); err != nil || a.status != 200 {
		w.t.Fatalf("GET %s: %d %s %v", address, a.status, a.body.String(), err)
	}
	return answer.Items
}

// visits are a day of city: some wait long, some give up, some never come.
func visits() []string {
	list := morning()
	for n, at := range []int{0, 3, 7, 12, 19, 27, 31, 40, 44, 51, 55, 58, 70, 85, 99} {
		id, line := fmt.Sprintf("9%02d", n), []string{"37338", "37339"}[n%2]
		clock := func(after int) string {
			m := 6*60 + at + after
			return fmt.Sprintf("%02d:%02d:%02d", m/60, m%60, n)
		}
		created := []string{"created", clock(0)}
		list = append(list, visit{"ticket_created", id, "C" + id, "NEW", line, created}.body())
		called := slices.Concat(created, []string{"called", clock(n)})
		switch n % 5 {
		case 0:
			list = append(list, visit{"ticket_cancelled", id, "C" + id, "CANCELLED_BY_CLERK", line, slices.Concat(created, []string{"cancelled", clock(n + 4)})}.body())
		case 1:
			list = append(
				list, visit{"ticket_called", id, "C" + id, "CALLED", line, called}.body(),
				visit{"ticket_noshow", id, "C" + id, "NOSHOW", line, slices.Concat(called, []string{"noShow", clock(n + 2)})}.body(),
			)
		default:
			list = append(
				list, visit{"ticket_called", id, "C" + id, "CALLED", line, called}.body(),
				visit{"ticket_served", id, "C" + id, "SERVED", line, slices.Concat(called, []string{"served", clock(n + 9)})}.body(),
			)
		}
	}
	return list
}

// The numbers of the page are REST's, whatever is asked.
func TestReportPageShowsWhatRESTAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", visits()...)
	for _, q := range []struct{ query, by string }{
		{"source=city", ""},
		{"source=city&group_by=queue", "queue"},
		{"source=city&from=2026-11-16&to=2026-11-30&group_by=day&percentiles=50,99&service_level=60&formula=F1", "day"},
		{"tz=UTC&from=2026-11-20&to=2026-11-21&group_by=source,hour_of_day&attributed_by=call", "source, hour of day"},
		{"source=city&queue=37339&from=2026-11-20&to=2026-11-21&group_by=hour,queue&include=queue_length,drop_off&compare=previous", "hour, queue"},
		{"source=city&location=City+Hall&attributed_by=end&group_by=weekday&formula=F2&percentiles=10", "weekday"},
	} {
		items := w.ask("/v1/reports/waits?" + q.query)
		page := tables(t, w.page("/reports?"+q.query))
		checked := 0
		for _, set := range sets {
			if q.by == "" {
				checked += total(t, q.query, page[set.caption+", total"], items[0], set.of)
			} else {
				checked += grouped(t, q.query, page[set.caption+" by "+q.by], items, set.of)
			}
		}
		if checked < 15 {
			t.Errorf("%s: only %d numbers were there to compare", q.query, checked)
		}
	}
}

// total compares a table that has a row for each number of one item.
func total(t *testing.T, query string, rows [][]string, i item, set string) (n int) {
	t.Helper()
	for _, row := range rows[min(1, len(rows)):] {
		n++
		if got, want := strings.TrimSuffix(row[1], "*"), i.cell(row[0], set); got != want {
			t.Errorf("%s: %s %s is %s on the page, %s by REST", query, set, row[0], got, want)
		}
	}
	return n
}

// grouped compares a table that has a row for each item: all its columns but the keys, and the bars at the end.
func grouped(t *testing.T, query string, rows [][]string, items []item, set string) (n int) {
	t.Helper()
	if len(rows) != len(items)+1 {
		t.Errorf("%s: %d rows of %s, and REST has %d items", query, len(rows)-1, set, len(items))
		return 0
	}
	for r, i := range items {
		for c, column := range rows[0] {
			if slices.Contains([]string{"source", "queue", "name", "day", "hour", "weekday", "hour of day"}, column) || strings.Contains(column, ", up to") {
				continue
			}
			n++
			if got, want := strings.TrimSuffix(rows[r+1][c], "*"), i.cell(column, set); got != want {
				t.Errorf("%s: %s %s of %s is %s on the page, %s by REST", query, set, column, rows[r+1][0], got, want)
			}
		}
	}
	return n
}

func TestEstimatesPageShowsWhatRESTAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", visits()...)
	const query = "source=city&from=2026-11-20&to=2026-11-21"
	rows := tables(t, w.page("/reports/estimates?"+query))["Mean absolute error (MAE), by how many stood before"]
	if len(rows) == 0 {
		t.Fatal("no table of errors")
	}
	told := 0
	for r, i := range w.ask("/v1/reports/estimates/backtest?" + query) {
		want := []string{whole64(i["n"].(float64))}
		for _, who := range []string{"estimate", "rolling_60_minutes", "last_wait"} {
			text := absent
			if v, known := i.number(who, "mae_seconds"); known {
				text, told = clocked(v), told+1
			}
			want = append(want, text)
		}
		got := slices.Clone(rows[r+1][1:5])
		got[0] = strings.TrimSuffix(got[0], "*")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("row %s (-REST +page):\n%s", rows[r+1][0], diff)
		}
	}
	if told == 0 {
		t.Error("nobody was told anything: nothing was compared")
	}
}
