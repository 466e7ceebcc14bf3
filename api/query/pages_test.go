package query

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pages walks a list to its end.
func (w *world) pages(target string) [][]map[string]any {
	w.t.Helper()
	var all [][]map[string]any
	next := target
	for range 100 {
		v := w.get(next)
		all = append(all, items(w.t, v))
		cursor, more := v["next"].(string)
		if !more {
			return all
		}
		next = target + "&cursor=" + url.QueryEscape(cursor)
		if !strings.Contains(target, "?") {
			next = target + "?cursor=" + url.QueryEscape(cursor)
		}
	}
	w.t.Fatalf("%s does not end", target)
	return nil
}

func TestPagesShowEachTicketOnceWhateverComesMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := map[string]int{}
	for i := range 17 { // groups of the same instant, on both sides of every page's end
		id := fmt.Sprintf("old-%02d", i)
		want[id] = 1
		w.deliver(visitOn("ticket_created", id, "NEW", 37338, "created", fmt.Sprintf("08:%02d:00", i/3)))
	}
	seen := map[string]int{}
	cursor := ""
	for page := 0; ; page++ {
		v := w.get("/v1/tickets?source=city&limit=4" + cursor)
		for _, ticket := range items(t, v) {
			seen[ticket["ticket"].(string)]++
		}
		w.deliver(visitOn("ticket_created", fmt.Sprintf("new-%d", page), "NEW", 37338, "created", fmt.Sprintf("09:%02d:00", page)))
		next, more := v["next"].(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	for id := range seen {
		if strings.HasPrefix(id, "new-") {
			delete(seen, id)
		}
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("times seen (-want +got):\n%s", diff)
	}
}

func TestACursorIsGoodForItsOwnRequestOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	next := w.get("/v1/tickets?source=city&limit=2")["next"].(string)
	for target, status := range map[string]int{
		"/v1/tickets?source=city&limit=2&cursor=" + next:                   200,
		"/v1/tickets?cursor=" + next + "&source=city":                      200, // another order, another limit
		"/v1/tickets?source=city&status=&cursor=" + next:                   200, // an empty filter is none
		"/v1/tickets?limit=2&cursor=" + next:                               400, // without the filter
		"/v1/tickets?source=store&limit=2&cursor=" + next:                  400,
		"/v1/tickets?source=city&status=waiting&limit=2&cursor=" + next:    400,
		"/v1/quarantine?source=city&cursor=" + next:                        400, // of another list
		"/v1/tickets?source=city&limit=2&cursor=" + next[:len(next)-1]:     400,
		"/v1/tickets?source=city&limit=2&cursor=" + next + "A":             400,
		"/v1/tickets?source=city&limit=2&cursor=" + "AAAA" + next[4:]:      400,
		"/v1/tickets?source=city&limit=2&cursor=%00":                       400,
		"/v1/tickets?source=city&limit=2&cursor=" + strings.Repeat("A", 9): 400,
	} {
		if a := w.ask(http.MethodGet, target); a.status != status {
			t.Errorf("%s: %d, want %d: %s", target, a.status, status, a.body)
		}
	}
}

// A vendor may date a ticket as it likes: paging gets past it.
func TestPagesGetPastTicketsOfAnyYear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want []string
	for _, date := range []string{"9999-12-31T23:59:59.999999Z", "9999-01-01T00:00:00Z", "2026-11-20T07:00:00Z", "1969-12-31T23:59:59Z", "0002-01-01T00:00:00Z"} {
		want = append(want, date[:4])
		w.deliver(fmt.Sprintf(`{"type":"ticket_created","data":{"id":%q,"status":"NEW","line":37338,"created":{"date":%q}}}`, date[:4], date))
	}
	want[1] = "9999" // the same ticket: its first date counts
	var got []string
	for _, page := range w.pages("/v1/tickets?source=city&limit=1") {
		for _, ticket := range page {
			got = append(got, ticket["ticket"].(string))
		}
	}
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("tickets (-want +got):\n%s", diff)
	}
}

// The check sum keeps nobody from making cursors of their own.
func TestForgedCursorsAre400(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for path, keys := range map[string][][]string{
		"/v1/tickets": {
			{"1763622000000000", "ci\x00ty", "1"},
			{"1763622000000000", "city", "\x00"},
			{"\x00", "city", "1"},
			{"2026-11-20T07:00:00Z", "city", "1"},
			{"-62135596800000000", "city", "1"}, // Go's zero time
			{"9223372036854775807", "city", "1"},
			{"-9223372036854775808", "city", "1"},
			{"1763622000000000", "city"},
		},
		"/v1/quarantine":             {{"ci\x00ty", "1"}, {"city", "-1"}, {"city", "9223372036854775808"}},
		"/v1/dead-letters":           {{"\x00", "1"}, {"city", "1\x00"}},
		"/v1/tickets/city/1/history": {{"\x00"}, {"one"}},
		"/v1/events?source=city":     {{"\x00"}, {}},
	} {
		for _, key := range keys {
			filters, joint := path, "&"
			if !strings.Contains(path, "?") {
				filters, joint = path+"?", "?"
			}
			a := w.ask(http.MethodGet, path+joint+"cursor="+*page{filters: filters}.next(key...))
			if p := problemOf(t, a); a.status != 400 || p.Type != "/problems/invalid-request" {
				t.Errorf("%s after %q: %d %s, want 400", path, key, a.status, a.body)
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	ctx := context.WithValue(context.Background(), filtersKey{}, "/v1/tickets?source=city")
	var p parser
	made := p.page(ctx, Paged{}, 3)
	good := *made.next("1763622000000000", "city", "1")
	f.Add(good)
	f.Add("")
	f.Add(good[:20])
	f.Fuzz(func(t *testing.T, s string) {
		var p parser
		got := p.page(ctx, Paged{Cursor: s}, 3)
		switch {
		case s == "" || s == good:
			if p.err() != nil {
				t.Errorf("%q is refused: %v", s, p.err())
			}
		case p.err() == nil && !slices.Equal(strings.Split(s, ""), strings.Split(*made.next(got.after...), "")):
			t.Errorf("%q reads as %q, and is not its cursor", s, got.after)
		}
	})
}
