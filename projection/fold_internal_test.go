package projection

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// verbose is a vendor whose every event gives its ticket a reason of half a page's weight.
type verbose struct{}

func (verbose) Verify(http.Header, []byte) (string, error) { return "", nil }
func (verbose) Sign([]byte) http.Header                    { return nil }
func (verbose) Identify([]byte) source.Identity            { return source.Identity{} }

func (verbose) Decode(body []byte) (source.Decoded, error) {
	return source.Decoded{Ticket: &ticket.Observation{
		Says: ticket.TransitionServed, Status: ticket.StatusServed, Reason: strings.Repeat("x", pageWeight/2) + string(body),
	}}, nil
}

// A page ends by weight, by time, or before a ticket that was not loaded, and is never empty.
func TestWhereAPageEnds(t *testing.T) {
	t.Parallel()
	var events []eventstore.Event
	for i, id := range []string{"a", "b", "c", "d"} {
		events = append(events, eventstore.Event{Position: int64(i + 1), Ticket: id, ReceivedAt: time.Unix(int64(i), 0).UTC()})
	}
	soon := time.Now().Add(time.Hour)
	for _, test := range []struct {
		name     string
		until    time.Time
		withheld string
		want     int
	}{
		{"by weight", soon, "", 2},
		{"by time", time.Now().Add(-time.Second), "", 1},
		{"before a heavy ticket", soon, "b", 1},
		{"not before its first event", soon, "a", 2},
	} {
		f := folding{adapter: verbose{}, tickets: map[string]ticket.Ticket{}, withheld: map[string]bool{test.withheld: true}}
		if got := f.page(events, test.until); got != test.want || len(f.changes) != got {
			t.Errorf("%s: the page took %d events and made %d changes; want %d", test.name, got, len(f.changes), test.want)
		}
	}
}
