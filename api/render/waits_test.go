package render

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection/wait"
)

// november is the contract's example, with a group that nobody came to beside it.
func november(t *testing.T) Waits {
	t.Helper()
	tallinn, err := time.LoadLocation("Europe/Tallinn")
	if err != nil {
		t.Fatal(err)
	}
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, tallinn) }
	level := 80.0 / 111
	return Waits{
		Report: wait.Report{
			Request: wait.Request{
				Sources: []string{"city"}, From: day(1), To: time.Date(2026, 12, 1, 0, 0, 0, 0, tallinn), Zone: tallinn,
				GroupBy: []wait.GroupKey{wait.ByQueue, wait.ByDay}, Percentiles: []int{50, 90}, ServiceLevel: 300, Formula: wait.F4,
			},
			Items: []wait.Item{
				{
					Source: "city", Queue: "37338", Start: day(20), End: day(21),
					Measures: wait.Measures{
						Offered: 131, Served: 104, Abandoned: 9, NoShow: 6, Cancelled: 1, Returned: 5, Transferred: 2, Open: 4,
						Wait:          wait.Stats{N: 116, Mean: 612.4, Max: 2710, Percentiles: map[int]int64{50: 540, 90: 1260}},
						AbandonedWait: wait.Stats{N: 9, Mean: 1490, Max: 2000, Percentiles: map[int]int64{50: 1500, 90: 1900}},
						Service:       wait.Stats{N: 104, Mean: 301, Max: 1980, Percentiles: map[int]int64{50: 260, 90: 610}},
						ServedWithin:  80, AbandonedWithin: 2, ServiceLevel: &level,
						Calls:    wait.Calls{Called: 118, Recalled: 12, Recalls: 15},
						Excluded: map[string]int64{"negative_wait": 1},
					},
				},
				{Source: "city", Queue: "=cmd|'/c calc'!A1", Start: day(21), End: day(22)},
			},
		},
		Names:     map[wait.QueueID]string{{Source: "city", Queue: "37338"}: "Passports"},
		Positions: map[string]int64{"city": 184223},
	}
}

func TestJSONIsTheContractsShapeInItsOrder(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := november(t).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	want := `{"from":"2026-11-01T00:00:00+02:00","to":"2026-12-01T00:00:00+02:00","tz":"Europe/Tallinn","group_by":["queue","day"],"attributed_by":"arrival","items":[` +
		`{"queue":"37338","name":"Passports","day":"2026-11-20","start":"2026-11-20T00:00:00+02:00","end":"2026-11-21T00:00:00+02:00",` +
		`"offered":131,"served":104,"abandoned":9,"no_show":6,"cancelled":1,"returned":5,"transferred":2,"expired":0,"merged":0,"open":4,` +
		`"wait":{"n":116,"mean_seconds":612.4,"p50_seconds":540,"p90_seconds":1260,"max_seconds":2710},` +
		`"abandoned_wait":{"n":9,"mean_seconds":1490,"p50_seconds":1500,"p90_seconds":1900,"max_seconds":2000,"low_n":true},` +
		`"service":{"n":104,"mean_seconds":301,"p50_seconds":260,"p90_seconds":610,"max_seconds":1980},` +
		`"service_level":{"threshold_seconds":300,"formula":"F4","value":0.7207207207207207,"served_within":80,"served":104,"abandoned_within":2,"abandoned":9},` +
		`"calls":{"called":118,"recalled":12,"recalls":15,"recall_rate":0.1016949152542373,"return_rate":0.0423728813559322},` +
		`"excluded":{"negative_wait":1}},` +
		`{"queue":"=cmd|'/c calc'!A1","name":"=cmd|'/c calc'!A1","day":"2026-11-21","start":"2026-11-21T00:00:00+02:00","end":"2026-11-22T00:00:00+02:00",` +
		`"offered":0,"served":0,"abandoned":0,"no_show":0,"cancelled":0,"returned":0,"transferred":0,"expired":0,"merged":0,"open":0,` +
		`"wait":{"n":0,"mean_seconds":null,"p50_seconds":null,"p90_seconds":null,"max_seconds":null,"low_n":true},` +
		`"abandoned_wait":{"n":0,"mean_seconds":null,"p50_seconds":null,"p90_seconds":null,"max_seconds":null,"low_n":true},` +
		`"service":{"n":0,"mean_seconds":null,"p50_seconds":null,"p90_seconds":null,"max_seconds":null,"low_n":true},` +
		`"service_level":{"threshold_seconds":300,"formula":"F4","value":null,"served_within":0,"served":0,"abandoned_within":0,"abandoned":0},` +
		`"calls":{"called":0,"recalled":0,"recalls":0,"recall_rate":null,"return_rate":null},` +
		`"excluded":{}}],"positions":{"city":184223}}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if !json.Valid([]byte(out.String())) {
		t.Error("not valid JSON")
	}
}

// everything is a report with all that can be asked for, of a single item.
func everything(t *testing.T) Waits {
	t.Helper()
	r := november(t)
	r.QueueLength, r.DropOff, r.Compare, r.AttributedBy = true, true, true, wait.AtCall
	r.PreviousFrom, r.PreviousTo = r.From.AddDate(0, 0, -30), r.From
	item := &r.Items[0]
	item.QueueLength = wait.QueueLength{Max: 7, WaitingSeconds: 129600, ElapsedSeconds: 86400}
	item.DropOff = slices.Clone(wait.Places)
	item.DropOff[3].Offered, item.DropOff[3].Abandoned = 8, 2
	item.Previous = &wait.Period{
		Start: item.Start.AddDate(0, 0, -30), End: item.End.AddDate(0, 0, -30),
		Measures: wait.Measures{Offered: 1, Open: 1, DropOff: slices.Clone(wait.Places)},
	}
	r.Items = r.Items[:1]
	return r
}

func TestJSONOfEverything(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := everything(t).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	none := func(from, to string) string {
		return `{"place_from":` + from + `,"place_to":` + to + `,"offered":0,"abandoned":0,"rate":null}`
	}
	for _, want := range []string{
		`"attributed_by":"call","previous":{"from":"2026-10-02T00:00:00+03:00","to":"2026-11-01T00:00:00+02:00"},"items":[`,
		`"excluded":{"negative_wait":1},"queue_length":{"mean":1.5,"max":7,"waiting_seconds":129600,"elapsed_seconds":86400},"drop_off":[` +
			none("1", "1") + `,` + none("2", "2") + `,` + none("3", "3") + `,{"place_from":4,"place_to":5,"offered":8,"abandoned":2,"rate":0.25},` +
			none("6", "10") + `,` + none("11", "20") + `,` + none("21", "null") + `],"previous":{"start":"2026-10-21T00:00:00+03:00","end":"2026-10-22T00:00:00+03:00","offered":1,"served":0,`,
		`"queue_length":{"mean":null,"max":0,"waiting_seconds":0,"elapsed_seconds":0},"drop_off":[` + none("1", "1") + `,`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	if !json.Valid([]byte(out.String())) {
		t.Error("not valid JSON")
	}
}

// A CSV has the JSON's numbers, also of the period before.
func TestCSVOfEverything(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := everything(t).WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	cells := map[string]string{}
	for i, name := range rows[0] {
		cells[name] = rows[1][i]
	}
	for name, want := range map[string]string{
		"queue_length_mean": "1.5", "queue_length_max": "7", "queue_length_waiting_seconds": "129600", "queue_length_elapsed_seconds": "86400",
		"drop_off_4_to_5_offered": "8", "drop_off_4_to_5_abandoned": "2", "drop_off_4_to_5_rate": "0.25", "drop_off_1_rate": "", "drop_off_21_up_offered": "0",
		"previous_start": "2026-10-21T00:00:00+03:00", "previous_end": "2026-10-22T00:00:00+03:00", "previous_offered": "1", "previous_open": "1",
		"previous_wait_p50_seconds": "", "previous_queue_length_mean": "", "previous_drop_off_11_to_20_abandoned": "0",
	} {
		if got, ok := cells[name]; !ok || got != want {
			t.Errorf("%s is %q (there: %v), want %q", name, got, ok, want)
		}
	}
	if len(cells) != len(rows[0]) {
		t.Errorf("%d columns of %d names", len(rows[0]), len(cells))
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	r := november(t)
	r.GroupBy = nil
	item := wait.Item{
		Source: "city", Location: "City Hall", Queue: "1", Desk: "3", Agent: "7", Weekday: 7, HourOfDay: 0,
		Start: time.Date(2027, 1, 3, 9, 0, 0, 0, r.Zone),
	}
	for key, want := range map[wait.GroupKey]string{
		wait.BySource: `"city"`, wait.ByLocation: `"City Hall"`, wait.ByQueue: `"1"`, wait.ByDesk: `"3"`, wait.ByAgent: `"7"`,
		wait.ByHour: `"2027-01-03T09:00"`, wait.ByDay: `"2027-01-03"`, wait.ByWeek: `"2026-W53"`, wait.ByMonth: `"2027-01"`,
		wait.ByWeekday: `7`, wait.ByHourOfDay: `0`,
	} {
		got, err := json.Marshal(r.keyValue(item, key))
		if err != nil || string(got) != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if len(wait.GroupKeys) != 11 {
		t.Errorf("%d dimensions", len(wait.GroupKeys))
	}
}

func TestAnEmptyReportHasNoNulls(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := Waits{Report: wait.Report{Request: wait.Request{Zone: time.UTC, Formula: wait.F4}}}
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	want := `{"from":"0001-01-01T00:00:00Z","to":"0001-01-01T00:00:00Z","tz":"UTC","group_by":[],"attributed_by":"arrival","items":[],"positions":{}}` + "\n"
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}

func TestQueuesOfSeveralSourcesTellTheirSource(t *testing.T) {
	t.Parallel()
	r := november(t)
	r.Sources = []string{"city", "store"}
	r.Items = r.Items[:1]
	var out strings.Builder
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `{"source":"city","queue":"37338","name":"Passports","day"`) {
		t.Errorf("no source beside the queue: %s", out.String())
	}
	if !strings.Contains(out.String(), `"group_by":["queue","day"]`) {
		t.Error("group_by is not the one asked for")
	}
}

func TestHoursAreKeyedByTheirLocalStart(t *testing.T) {
	t.Parallel()
	r := november(t)
	// The hour that comes twice: one key, two starts.
	first := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
	r.GroupBy, r.Items = []wait.GroupKey{wait.ByHour}, []wait.Item{
		{Start: first, End: first.Add(time.Hour)}, {Start: first.Add(time.Hour), End: first.Add(2 * time.Hour)},
	}
	var out strings.Builder
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"hour":"2026-10-25T03:00","start":"2026-10-25T03:00:00+03:00","end":"2026-10-25T03:00:00+02:00"`,
		`{"hour":"2026-10-25T03:00","start":"2026-10-25T03:00:00+02:00","end":"2026-10-25T04:00:00+02:00"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, out.String())
		}
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := november(t).WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\r\n"); n != 3 || strings.Count(out.String(), "\n") != n {
		t.Errorf("lines don't end as RFC 4180 has it: %q", out.String())
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll() // refuses rows of different length
	if err != nil {
		t.Fatal(err)
	}
	cells := map[string]string{}
	for i, name := range rows[0] {
		if _, twice := cells[name]; twice {
			t.Errorf("column %s comes twice", name)
		}
		cells[name] = rows[1][i]
	}
	want := map[string]string{
		"queue": "37338", "name": "Passports", "day": "2026-11-20", "start": "2026-11-20T00:00:00+02:00", "end": "2026-11-21T00:00:00+02:00",
		"offered": "131", "served": "104", "abandoned": "9", "no_show": "6", "cancelled": "1", "returned": "5",
		"transferred": "2", "expired": "0", "merged": "0", "open": "4",
		"wait_n": "116", "wait_mean_seconds": "612.4", "wait_p50_seconds": "540", "wait_p90_seconds": "1260", "wait_max_seconds": "2710", "wait_low_n": "false",
		"abandoned_wait_n": "9", "abandoned_wait_mean_seconds": "1490", "abandoned_wait_p50_seconds": "1500",
		"abandoned_wait_p90_seconds": "1900", "abandoned_wait_max_seconds": "2000", "abandoned_wait_low_n": "true",
		"service_n": "104", "service_mean_seconds": "301", "service_p50_seconds": "260", "service_p90_seconds": "610", "service_max_seconds": "1980", "service_low_n": "false",
		"service_level": "0.7207207207207207", "service_level_threshold_seconds": "300", "service_level_formula": "F4",
		"served_within": "80", "abandoned_within": "2",
		"calls_called": "118", "calls_recalled": "12", "calls_recalls": "15",
		"calls_recall_rate": "0.1016949152542373", "calls_return_rate": "0.0423728813559322",
		"excluded_negative_wait": "1", "excluded_negative_service": "0", "excluded_self_registered": "0",
	}
	if diff := cmp.Diff(want, cells); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	if got := rows[2][0]; got != "'=cmd|'/c calc'!A1" {
		t.Errorf("a spreadsheet would run %q", got)
	}
	if got := rows[2][16]; got != "" {
		t.Errorf("the mean of nothing is %q, want it empty", got)
	}
}

func TestCellsAreNoFormulas(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"37338": "37338", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "a=b": "a=b", "ä": "ä",
		" =1+1": "' =1+1", "\u200b@x": "'\u200b@x", "\n=1": "'\n=1", "\nx": "'\nx", "＝1": "'＝1", "1-1": "1-1", " ": " ", "\u00a0+1": "'\u00a0+1", "": "",
	} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWriteKnowsEveryFormat(t *testing.T) {
	t.Parallel()
	for _, f := range Formats {
		var out strings.Builder
		if err := november(t).Write(&out, f); err != nil || out.Len() == 0 {
			t.Errorf("%s: %d bytes, %v", f, out.Len(), err)
		}
	}
	if err := november(t).Write(&strings.Builder{}, "html"); err == nil {
		t.Error("an unknown format is written")
	}
}
