package query

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"queuetrack/api"
	"queuetrack/api/render"
)

// judgedMorning is a morning of ten tickets, of which four are judged:
//
//	ticket  came   stood before  told  waited  hour before  last wait  range
//	5       07:36  1             1680     840         1080       1560  none: nobody before was told anything
//	6       07:55  0              315     300         1224        840  315 … 315
//	7       08:10  0              282     600         1164        300  269 … 282
//	8       08:30  0              550     300          945        600  274 … 611
//
// 1 to 4 came before there was a pace; nobody had been called in the hour before 9; 10 still waits.
//
// Of ticket 5: the busy clock stands at 2160 s, and three have left at 600, 1200 and 1800: the pace is (2160 - 600) / 2 = 780, QL
// 2 * 780; the head has waited since 07:06, 1800 s: (1560 + 1800) / 2. Of those called in the hour before: (600 + 1080 + 1560) / 3.
// It waited (840 + 30) / (1560 + 30) of QL, padded.
//
// Of 6: the pace is (3000 - 600) / 4 = QL, and nobody waits: HOL = min(840, 600). The range is (600 + 30) * 870/1590 - 30 = 315, at
// both ends, and what is told is moved there. It waited 330/630.
//
// Of 7: the pace is (3300 - 600) / 5 = 540, HOL 300: 420. The range is 570 * 330/630 - 30 = 268.6 to 570 * 870/1590 - 30 = 281.9. The
// call at 07:10 isn't in the hour before. It waited 630/570.
//
// Of 8: the pace is (3900 - 600) / 6 = 550, HOL min(600, 550). The range is 580 * 330/630 - 30 = 273.8 to 580 * 630/570 - 30 = 611.05.
func judgedMorning() (bodies []string) {
	came := func(id, at string) {
		bodies = append(bodies, visitOn("ticket_created", id, "NEW", 37338, "created", at))
	}
	called := func(id, from, at string) {
		bodies = append(bodies, visitOn("ticket_called", id, "CALLED", 37338, "created", from, "called", at))
	}
	came("1", "07:00:00")
	came("2", "07:02:00")
	came("3", "07:04:00")
	came("4", "07:06:00")
	called("1", "07:00:00", "07:10:00")
	called("2", "07:02:00", "07:20:00")
	called("3", "07:04:00", "07:30:00")
	came("5", "07:36:00")
	called("4", "07:06:00", "07:40:00")
	called("5", "07:36:00", "07:50:00")
	came("6", "07:55:00")
	called("6", "07:55:00", "08:00:00")
	came("7", "08:10:00")
	called("7", "08:10:00", "08:20:00")
	came("8", "08:30:00")
	called("8", "08:30:00", "08:35:00")
	came("9", "09:40:00")
	called("9", "09:40:00", "09:41:00")
	came("10", "09:45:00")
	return bodies
}

// accuracyOf is of errors, in a way of its own.
func accuracyOf(errs ...float64) map[string]any {
	var absolute, signed, squares, within float64
	for _, e := range errs {
		absolute, signed, squares = absolute+math.Abs(e), signed+e, squares+e*e
		if -300 <= e && e <= 300 {
			within++
		}
	}
	n := float64(len(errs))
	return map[string]any{"mae_seconds": absolute / n, "rmse_seconds": math.Sqrt(squares / n), "bias_seconds": signed / n, "within_5_minutes": within / n}
}

const backtestPath = "/v1/reports/estimates/backtest"

func TestTheBacktestByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(judgedMorning()...)
	v := w.get(backtestPath + "?source=city&from=2026-11-20&to=2026-11-21")
	hasExactly(t, "the report", v, strings.Fields("from to tz items total positions"))
	holds(t, "the report", v, map[string]any{
		"from": "2026-11-20T00:00:00+02:00", "to": "2026-11-21T00:00:00+02:00", "tz": "Europe/Tallinn",
		"positions": map[string]any{"city": 19.0, "store": 0.0},
	})
	list := items(t, v)
	if len(list) != 6 {
		t.Fatalf("%d items", len(list))
	}
	list = append(list, v["total"].(map[string]any))
	nothing := map[string]any{"mae_seconds": nil, "rmse_seconds": nil, "bias_seconds": nil, "within_5_minutes": nil}
	unranged := map[string]any{"n": 0.0, "below_high": nil, "within": nil}
	ranged := map[string]any{"n": 3.0, "below_high": 2.0 / 3, "within": 1.0 / 3}
	group := func(from, to, n any, estimate, rolling, last, ranges map[string]any) map[string]any {
		return map[string]any{
			"ahead_from": from, "ahead_to": to, "n": n, "low_n": true,
			"estimate": estimate, "rolling_60_minutes": rolling, "last_wait": last, "range": ranges,
		}
	}
	want := []map[string]any{
		group(0.0, 0.0, 3.0, accuracyOf(15, -318, 250), accuracyOf(924, 564, 645), accuracyOf(540, -300, 300), ranged),
		group(1.0, 2.0, 1.0, accuracyOf(840), accuracyOf(240), accuracyOf(720), unranged),
		group(3.0, 5.0, 0.0, nothing, nothing, nothing, unranged),
		group(6.0, 10.0, 0.0, nothing, nothing, nothing, unranged),
		group(11.0, 20.0, 0.0, nothing, nothing, nothing, unranged),
		group(21.0, nil, 0.0, nothing, nothing, nothing, unranged),
		group(0.0, nil, 4.0, accuracyOf(840, 15, -318, 250), accuracyOf(240, 924, 564, 645), accuracyOf(720, 540, -300, 300), ranged),
	}
	if diff := cmp.Diff(want, list, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBacktestFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(judgedMorning()...)
	for target, n := range map[string]float64{
		"source=city":                                  4, // the last seven days
		"tz=UTC":                                       4,
		"source=store":                                 0,
		"source=city&queue=37338":                      4,
		"tz=UTC&queue=37338":                           4,
		"source=city&queue=37999":                      0,
		"source=city&from=2026-11-20T07:55:00Z":        3,
		"source=city&from=2026-11-20T07:55:01Z":        2,
		"source=city&to=2026-11-20T08:10:00Z":          2, // half-open
		"source=city&from=2026-11-13&to=2026-11-20":    0,
		"source=city&from=2026-11-20&to=2026-11-21":    4,
		"tz=Asia/Tokyo&from=2026-11-20&to=2026-11-21":  4,
		"tz=Asia/Tokyo&from=2026-11-21&to=2026-11-22":  0, // a day from 15:00 UTC on
		"tz=Pacific/Auckland&from=2026-11-20":          4,
		"source=city&queue=37338&min_position=city:19": 4,
		"source=city&min_position=city:1,store:0":      4,
	} {
		if total := w.get(backtestPath + "?" + target)["total"].(map[string]any); total["n"] != n {
			t.Errorf("%s: %v judged, want %v", target, total["n"], n)
		}
	}
}

// As long as nothing happens the tag stays; a call moves it.
func TestTheBacktestsTag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bodies := judgedMorning()
	w.deliver(bodies[:15]...) // 8 came
	const target = backtestPath + "?source=city"
	first := w.ask(http.MethodGet, target)
	tag := first.header.Get("ETag")
	if again := w.ask(http.MethodGet, target, "If-None-Match", tag); again.status != 304 || again.body != "" || again.header.Get("ETag") != tag {
		t.Errorf("again: %d %s", again.status, again.body)
	}
	w.deliver(bodies[15])
	after := w.ask(http.MethodGet, target+"&min_position=city:16", "If-None-Match", tag)
	if after.status != 200 || after.header.Get("ETag") == tag || after.body == first.body {
		t.Errorf("after a call: %d, ETag %s (%s before)", after.status, after.header.Get("ETag"), tag)
	}
	// What is not folded isn't told.
	behind := w.ask(http.MethodGet, target+"&min_position=city:17")
	if p := problemOf(t, behind); behind.status != 503 || p.Type != "/problems/not-folded" || !strings.Contains(p.Detail, "city is folded through 16, 1 short of 17") {
		t.Errorf("%d %s", behind.status, behind.body)
	}
}

// The command's report, the page's and the REST door's are one, byte for byte.
func TestTheBacktestIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(judgedMorning()...)
	door := New(w.reader, w.log, w.cfg)
	q := EstimatesQuery{Source: "city", Queue: "37338", From: "2026-11-20", To: "2026-11-21"}
	answer := w.ask(http.MethodGet, backtestPath+"?source=city&queue=37338&from=2026-11-20&to=2026-11-21").body
	judged, err := door.Backtest(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	page, err := door.BacktestPage(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]render.Estimates{"command": judged, "page": page.Estimates} {
		var out bytes.Buffer
		if err := e.Write(&out, render.FormatJSON); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(answer, out.String()); diff != "" {
			t.Errorf("(-REST +%s):\n%s", name, diff)
		}
	}
	if page.Source != "city" || page.Queue != "37338" || page.QueueName != "Passports" || !page.Made.Equal(noon) {
		t.Errorf("the page is about %s, %s (%s), made %s", page.Source, page.Queue, page.QueueName, page.Made)
	}
	var problem *api.Problem
	if _, err := door.BacktestPage(t.Context(), EstimatesQuery{Source: "elsewhere"}); !errors.As(err, &problem) || problem.Status != 400 {
		t.Errorf("a page of nowhere: %v", err)
	}
}
