//go:build linux

package browser

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// tables are those of a page by their captions: each row's texts by the heads of the columns.
const tables = `(() => {
	const all = {};
	for (const table of document.querySelectorAll("table")) {
		const heads = [...table.querySelectorAll("thead th")].map((e) => e.textContent);
		all[table.caption?.textContent] = [...table.querySelectorAll("tbody tr")].map((row) =>
			Object.fromEntries([...row.cells].map((cell, i) => [heads[i], cell.textContent])));
	}
	return all;
})()`

// The form's report has the numbers of REST: filled in and sent by keyboard, read as it is shown.
func TestReportFormTellsWhatRESTTells(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.live(3, time.Hour)
	b := w.open(t, desk)
	b.visit("/reports")
	b.askFor("city", "queue")
	var report struct{ Items []map[string]any }
	w.get("/v1/reports/waits?source=city&group_by=queue", &report)
	if len(report.Items) != 3 {
		t.Fatalf("REST tells of %d queues, want 3", len(report.Items))
	}
	shown := ask[map[string][]map[string]string](b, tables)
	waits, outcomes := shown["Waits by queue"], shown["Outcomes by queue"]
	if len(waits) != len(report.Items) || len(outcomes) != len(report.Items) {
		t.Fatalf("the page shows %d and %d queues, REST tells of %d", len(waits), len(outcomes), len(report.Items))
	}
	for i, item := range report.Items {
		wait := item["wait"].(map[string]any)
		level := item["service_level"].(map[string]any)["value"].(float64)
		want := map[string]string{"queue": item["queue"].(string), "waits": fmt.Sprint(wait["n"]), "SL": fmt.Sprintf("%.1f %%", 100*level)}
		for column, field := range map[string]string{"p50": "p50_seconds", "p80": "p80_seconds", "p90": "p90_seconds", "p95": "p95_seconds", "max": "max_seconds"} {
			want[column] = minutes(wait[field].(float64))
		}
		differ(t, waits[i], want)
		want = map[string]string{}
		for column, field := range map[string]string{
			"offered": "offered", "served": "served", "abandoned": "abandoned", "no show": "no_show", "cancelled": "cancelled",
			"returned": "returned", "transferred": "transferred", "expired": "expired", "merged": "merged", "open": "open",
		} {
			want[column] = fmt.Sprint(item[field])
		}
		differ(t, outcomes[i], want)
	}
}

func minutes(seconds float64) string { return fmt.Sprintf("%d:%02d", int(seconds)/60, int(seconds)%60) }

func differ(t *testing.T, got, want map[string]string) {
	t.Helper()
	for column, text := range want {
		if got[column] != text {
			t.Errorf("%s: the page shows %q, REST tells %q", column, got[column], text)
		}
	}
}

// askFor fills in the report's form and sends it, by keyboard: letters choose in a list.
func (b *tab) askFor(source, by string) {
	b.t.Helper()
	b.tabTo("document.activeElement.matches('#field-source')")
	b.press(source)
	b.tabTo("document.activeElement.matches('#field-group_by')")
	b.press(by)
	b.tabTo("document.activeElement.matches('form.ask button')")
	b.press(kb.Enter)
	b.await(fmt.Sprintf("location.search.includes('source=%s') && location.search.includes('group_by=%s') && document.getElementById('groups')", source, by))
}
