package bench

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const someTickets = `office,queue_id,queue_letter,ticket_no,issued_at,called_at
UD_Wola,7,A,1,2020-01-02T08:00:00,2020-01-02T08:05:00
UD_Wola,7,A,2,2020-01-03T08:05:00,2020-01-03T08:05:00
UD_Ochota,9,B,1,2020-01-04T09:00:00,2020-01-04T09:10:30
`

func TestReadRecorded(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		t.Fatal(err)
	}
	r, err := readRecorded(csv.NewReader(strings.NewReader(someTickets)), zone)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ud-ochota", "ud-wola"}, r.Sources()); diff != "" || r.Tickets() != 3 {
		t.Errorf("%d tickets; sources (-want +got):\n%s", r.Tickets(), diff)
	}
	first, half, end := r.Days(zone)
	days := []string{first.Format(time.DateOnly), half.Format(time.DateOnly), end.Format(time.DateOnly)}
	if diff := cmp.Diff([]string{"2020-01-02", "2020-01-03", "2020-01-05"}, days); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	third := r.tickets[2]
	want := `{"type":"ticket_called","data":{"id":"3","status":"CALLED","source":"NAME","line":9,"created":{"date":"2020-01-04T08:00:00Z"},"called":{"date":"2020-01-04T08:10:30Z","caller":1}}}`
	if got := string((recordedStep{third, third.called, true}).body()); got != want {
		t.Errorf("a call is told as\n%s, want\n%s", got, want)
	}
	if issued, called := (recordedStep{third, third.issued, false}), (recordedStep{third, third.called, true}); issued.rank() >= called.rank() {
		t.Error("at one instant a ticket would be called before it is issued")
	}
}

func TestReadRecordedRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, want string }{
		"a missing column": {strings.Replace(someTickets, "called_at", "gone_at", 1), "no column called_at"},
		"no number":        {strings.Replace(someTickets, ",7,A,1", ",x,A,1", 1), `queue_id "x" is no number`},
		"no time":          {strings.Replace(someTickets, "2020-01-02T08:00:00", "yesterday", 1), "yesterday"},
		"no tickets":       {someTickets[:strings.Index(someTickets, "\n")+1], "no tickets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readRecorded(csv.NewReader(strings.NewReader(c.file)), time.UTC)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
