package dashboard

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// visitOf is what Qminder sends about somebody who took a ticket at an instant, was called after a while, and served for five
// minutes.
func visitOf(id int, taken time.Time, wait time.Duration) []string {
	const second = "2006-01-02T15:04:05Z"
	created, called := taken.UTC().Format(second), taken.Add(wait).UTC().Format(second)
	head := fmt.Sprintf(`"id":"%d","publicId":"A%02d","line":37338,"created":{"date":%q}`, id, id%100, created)
	return []string{
		`{"type":"ticket_created","data":{"status":"NEW",` + head + `}}`,
		fmt.Sprintf(`{"type":"ticket_called","data":{"status":"CALLED",%s,"called":{"date":%q,"desk":3}}}`, head, called),
		fmt.Sprintf(`{"type":"ticket_served","data":{"status":"SERVED",%s,"called":{"date":%q,"desk":3},"served":{"date":%q}}}`,
			head, called, taken.Add(wait+5*time.Minute).UTC().Format(second)),
	}
}

// It is a Friday, 14:00 in Tallinn. In each of the eight weeks before, three came between 14 and 15 o'clock and waited for
// 10, 20 and 30 minutes: that is 1 waiting on average. Others, at other hours, say nothing.
func TestOverviewTellsTheUsual(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := 1000
	for week := 1; week <= 8; week++ {
		friday := noon.AddDate(0, 0, -7*week)
		if week > 3 { // before the clocks went back, 14:00 was an hour earlier
			friday = friday.Add(-time.Hour)
		}
		for minutes := 10; minutes <= 30; minutes += 10 {
			id++
			w.deliver("city", visitOf(id, friday.Add(time.Minute), time.Duration(minutes)*time.Minute)...)
		}
		id++
		w.deliver("city", visitOf(id, friday.Add(-3*time.Hour), time.Hour)...)
	}
	for i := range 6 { // who waits now
		w.deliver("city", visitOf(2000+i, noon.Add(-time.Duration(i+1)*time.Minute), 0)[0])
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.dashboard.Run(ctx)
	}()
	defer func() {
		end()
		<-ended
	}()
	poll(t, func() bool { return strings.Contains(w.page("/"), "usually") })
	shows(t, w.page("/"), "<b>6</b>", "usually 1<", "▲ more than usual", "usually 20 min")
}

func TestOverviewAddsUpTheDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", visitOf(1, noon.Add(-3*time.Hour), 2*time.Minute)...)
	w.deliver("city", visitOf(2, noon.Add(-2*time.Hour), 20*time.Minute)...)
	w.deliver("city", visitOf(3, noon.Add(-time.Hour), 3*time.Minute)[:2]...)
	w.deliver("city", visitOf(4, noon.Add(-10*time.Minute), 0)[0])
	w.deliver("city", visitOf(5, noon.AddDate(0, 0, -1), time.Minute)...) // yesterday
	p := w.page("/")
	shows(t, p,
		"<b>1</b> waiting", "<b>10 min</b> longest wait", "<b>1</b> called or serving now", "<b>2</b> served today",
		"<b>50 %</b> waited at most 5 min", "City Hall", "Passports", "nothing received yet",
		"11:00: half waited at most 2 min, nine in ten at most 2 min; 12:00: half waited at most 20 min",
	)
	hides(t, p, "usually", "more than usual")
}

func TestBoard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", visitOf(11, noon.Add(-20*time.Minute), 2*time.Minute)[:2]...)
	w.deliver("city", visitOf(12, noon.Add(-9*time.Minute), 2*time.Minute)[:2]...)
	w.deliver("city", visitOf(13, noon.Add(-5*time.Minute), 0)[0])
	w.deliver("city", strings.ReplaceAll(visitOf(14, noon.Add(-30*time.Minute), 2*time.Minute)[1], `"publicId":"A14",`, ""))
	p := w.page("/board/city")
	shows(t, p, `<th scope="row"><bdi>14</bdi>`) // it has no label
	shows(t, p, "<h1>City Hall</h1>", "A12, please come to desk 3, Passports", "<b>1</b> waiting", `role="status"`)
	if first, second := strings.Index(p, `<th scope="row"><bdi>A12`), strings.Index(p, `<th scope="row"><bdi>A11`); first < 0 || second < first {
		t.Errorf("the last one called does not come first: %d, %d", first, second)
	}
	hides(t, p, "A13", "queuetrack</a>")
	shows(t, w.page("/board/city?queue=37338"), "<h1>Passports</h1>")
}
