//go:build linux

package browser

import (
	"context"
	"testing"
	"time"
)

// livedFor is how long ago the doors opened, in the world where all pages are looked at.
const livedFor = 2 * time.Hour

// TestPages looks at every page of a world that has seen two hours of the demo's day, and stands still now.
func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.live(7, livedFor)
	w.trouble()
	for name, test := range map[string]func(*testing.T, *world){
		"axe finds nothing on a desk":      func(t *testing.T, w *world) { axeFindsNothing(t, w, desk) },
		"axe finds nothing on a phone":     func(t *testing.T, w *world) { axeFindsNothing(t, w, phone) },
		"nothing sticks out or overlaps":   nothingSticksOutOrOverlaps,
		"all is reached by keyboard":       allIsReachedByKeyboard,
		"nothing moves for who wants that": nothingMoves,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

// trouble brings about what pages warn of: something quarantined, something rejected.
func (w *world) trouble() {
	w.t.Helper()
	w.post("city", []byte(`{"type": "ticket_called", "data": {"status": "CALLED"}}`))
	if _, err := w.deliver(context.Background(), "crm", []byte("{}"), "X-Superoffice-Signature"); err == nil {
		w.t.Fatal("a delivery without its signature was taken")
	}
	w.caughtUp()
}

// pages are all there are to look at in it. What they show in full is asked for: each source's oldest ticket.
func (w *world) pages() []string {
	w.t.Helper()
	all := []string{
		"/", "/board/city", "/board/city?queue=37338", "/board/store", "/board/crm", "/queues/city/37338", "/queues/crm/3",
		"/projections", "/projections/rebuild?action=rollback", "/find?ticket=A01", "/find?ticket=nobody",
		"/reports", "/reports?source=city&group_by=queue&compare=previous&include=queue_length&include=drop_off",
		"/reports/estimates?source=city", "/login", "/docs",
	}
	for _, name := range []string{"city", "store", "crm"} {
		var tickets struct{ Items []struct{ Ticket string } }
		w.get("/v1/tickets?limit=1000&source="+name, &tickets)
		all = append(all, "/tickets/"+name+"/"+tickets.Items[len(tickets.Items)-1].Ticket)
	}
	return all
}

// The screens that pages are looked at on.
var (
	desk  = eyes{width: 1280, height: 800, scale: 1}
	phone = eyes{width: 390, height: 844, scale: 2}
	wall  = eyes{width: 1920, height: 1080, scale: 1}
)

func (e eyes) inTheDark() eyes {
	e.dark = true
	return e
}

// settled waits until a page shows all it will by itself, and nothing moves any more.
func (b *tab) settled() {
	b.t.Helper()
	b.await("document.readyState === 'complete' && document.fonts.status === 'loaded'")
	b.await("location.pathname !== '/docs' || document.querySelectorAll('.opblock').length > 10")
	b.still()
}

// still waits until no animation runs: colours fade when light changes to dark.
func (b *tab) still() {
	b.t.Helper()
	b.await("document.getAnimations().every((a) => a.playState !== 'running')")
}
