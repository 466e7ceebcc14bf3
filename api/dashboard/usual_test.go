package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// The usual is that of the same hour and weekday, of the source's zone, in the weeks before.
func TestUsual(t *testing.T) {
	t.Parallel()
	kathmandu, err := time.LoadLocation("Asia/Kathmandu") // 5 hours 45 minutes ahead
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	rest := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Get("from") + " " + r.URL.Query().Get("to") + " " + r.URL.Query().Get("tz")
		fmt.Fprint(w, `{"items":[
			{"weekday":5,"hour_of_day":9,"offered":80,"wait":{"p50_seconds":1},"queue_length":{"mean":1}},
			{"weekday":6,"hour_of_day":9,"offered":80,"wait":{"p50_seconds":540},"queue_length":{"mean":4.5}},
			{"weekday":6,"hour_of_day":10,"offered":9,"wait":{"p50_seconds":1},"queue_length":{"mean":1}}]}`)
	})
	now := time.Date(2026, 11, 28, 3, 20, 0, 0, time.UTC) // 09:05 on a Saturday there
	u := newUsual(rest, func() time.Time { return now })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		u.run(ctx)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	got := waitForNorm(t, u, kathmandu)
	if got.Waiting == nil || *got.Waiting != 4.5 || got.Median == nil || *got.Median != 540 {
		t.Errorf("got %v, want 4.5 waiting and a median of 540 s", got)
	}
	if question := <-asked; question != "2026-10-03 2026-11-28 Asia/Kathmandu" {
		t.Errorf("asked for %s", question)
	}
	// The next hour is another question, and nine in eight weeks are no custom.
	now = now.Add(time.Hour)
	if got := waitForNorm(t, u, kathmandu); got.Waiting != nil || got.Median != nil {
		t.Errorf("got %v of an hour that hardly anybody came in", got)
	}
}

// waitForNorm asks until it is there.
func waitForNorm(t *testing.T, u *usual, zone *time.Location) (n *norm) {
	t.Helper()
	poll(t, func() bool {
		n = u.of("city", "37338", zone)
		return n != nil
	})
	return n
}
