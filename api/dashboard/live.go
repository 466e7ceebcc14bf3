package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"queuetrack/api"
)

const (
	eventStream = "text/event-stream"
	// retryMillis is what a browser waits before it comes back.
	retryMillis = 1000
	// heldMessages is how many a watcher may fall behind. It is then hung up on, comes back and gets the page anew.
	heldMessages = 64
	// lookTimeout bounds one look at a page.
	lookTimeout = 10 * time.Second
	// sweepEvery is how long answers are kept that a page no longer asks for.
	sweepEvery = time.Minute
)

// feed looks at one live page again and again, for all who watch it, and sends each what changed. It begins with the first
// watcher and ends with the last. A watcher gets the whole page first; then the parts that came out differently, or the
// page again when there are other parts than before.
type feed struct {
	dashboard *Dashboard
	page      page
	in        input
	ask       *rest
	end       context.CancelFunc

	// Under the dashboard's mu.
	watchers map[chan message]bool
	whole    message // what a newcomer gets first; empty: not known yet

	// Of run alone.
	outline string
	parts   map[string]string
	beaten  time.Time
	swept   time.Time
	trouble bool
}

// message is a server-sent event.
type message []byte

func newMessage(event string, data any) message {
	body, err := json.Marshal(data)
	if err != nil {
		panic(err) // strings always encode
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, body)
}

// wholePage is the message with all of a page.
type wholePage struct {
	Title string `json:"title"`
	HTML  string `json:"html"`
	Build string `json:"build"`
}

// watch sends a page as it changes, until the client is gone or the server shuts down.
func (d *Dashboard) watch(w http.ResponseWriter, r *http.Request, p page, in input) {
	places := d.places
	if p.public { // however many look at boards, they leave the others their places
		places = d.publicPlaces
	}
	giveBack, err := places.take(r)
	if err != nil {
		api.Fail(w, r, err)
		return
	}
	defer giveBack()
	in = in.only(p.query) // nobody makes many pages of one by parameters that say nothing
	// What can't be loaded is refused at once, as the page itself would be. After a restart all come back together.
	if _, err := d.seeShared(p, in); err != nil {
		api.Fail(w, r, err)
		return
	}
	messages, leave := d.join(in.key(p.pattern), p, in)
	defer leave()
	control := http.NewResponseController(w)
	// The server's deadlines are for requests that end. Each write has its own (package api).
	_ = control.SetReadDeadline(time.Time{})
	h := w.Header()
	h.Set("Content-Type", eventStream)
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("X-Accel-Buffering", "no")
	lifetime := time.NewTimer(d.cfg.Lifetime)
	defer lifetime.Stop()
	next := message(fmt.Sprintf("retry: %d\n\n", retryMillis))
	for ok := true; ok; {
		if _, err := w.Write(next); err != nil {
			return
		}
		if err := control.Flush(); err != nil {
			return
		}
		select {
		case next, ok = <-messages:
		case <-lifetime.C:
			return
		case <-r.Context().Done():
			return
		case <-d.life.Done():
			return
		}
	}
}

// join adds a watcher of a page. Its channel is closed when it falls too far behind.
func (d *Dashboard) join(key string, p page, in input) (messages <-chan message, leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.feeds[key]
	if f == nil {
		ctx, end := context.WithCancel(d.life)
		f = &feed{
			dashboard: d, page: p, in: in, end: end, watchers: map[chan message]bool{},
			ask: &rest{handler: d.cfg.REST, now: d.cfg.Now, kept: map[string]answer{}},
		}
		d.feeds[key] = f
		go f.run(ctx)
	}
	mine := make(chan message, heldMessages)
	if f.whole != nil {
		mine <- f.whole
	}
	f.watchers[mine] = true
	return mine, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(f.watchers, mine)
		if len(f.watchers) == 0 && d.feeds[key] == f {
			delete(d.feeds, key)
			f.end()
		}
	}
}

// run looks until ctx ends.
func (f *feed) run(ctx context.Context) {
	tick := time.NewTicker(f.dashboard.cfg.Poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		f.turn(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// turn looks once. As long as it can't, watchers hear nothing but that, once, and their pages soon say how old they are.
func (f *feed) turn(ctx context.Context) {
	look, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	now := f.dashboard.cfg.Now()
	due := f.trouble || now.Sub(f.beaten) >= f.dashboard.cfg.Beat
	if err := f.look(look, due); err != nil {
		if !f.trouble && ctx.Err() == nil {
			f.dashboard.cfg.Logger.WarnContext(ctx, "a live page stands still", "page", f.page.layout, "error", err)
			f.send(newMessage("trouble", api.ProblemOf(err).Title))
		}
		f.trouble = true
		return
	}
	if due {
		f.beaten = now
		f.send(newMessage("beat", now.UTC().Format(time.RFC3339)))
	}
	f.trouble = false
	if now.Sub(f.swept) >= sweepEvery {
		f.swept = now
		f.ask.sweep()
	}
}

// look loads the page, and sends what is new. Where no answer changed it is drawn only when due: what it says of the time
// that has gone by changes all the same.
func (f *feed) look(ctx context.Context, due bool) error {
	v, err := f.page.load(ctx, f.in, f.ask)
	if err != nil || !f.ask.changed && !due {
		return err // what did change before an error is still to be drawn
	}
	c := &canvas{templates: f.dashboard.templates, outline: true}
	main, err := c.main(v)
	if err != nil {
		return fmt.Errorf("draw the page %s: %w", v.Template, err)
	}
	f.ask.changed = false
	f.tell(v, string(main), c.parts)
	return nil
}

// tell sends the difference between a page and the one before.
func (f *feed) tell(v view, outline string, parts []part) {
	html := outline
	now := map[string]string{}
	var changed []part
	for _, p := range parts {
		html = strings.Replace(html, mark(p.ID), p.HTML, 1)
		if f.parts[p.ID] != p.HTML {
			changed = append(changed, p)
		}
		now[p.ID] = p.HTML
	}
	whole := newMessage("page", wholePage{v.Title, html, f.dashboard.cfg.Build})
	same := outline == f.outline
	f.outline, f.parts = outline, now
	switch {
	case !same:
		f.sendWhole(whole, whole)
	case len(changed) > 0:
		f.sendWhole(whole, newMessage("parts", changed))
	}
}

// sendWhole is send, and notes what a newcomer gets from now on.
func (f *feed) sendWhole(whole, m message) {
	f.dashboard.mu.Lock()
	defer f.dashboard.mu.Unlock()
	f.whole = whole
	f.pass(m)
}

func (f *feed) send(m message) {
	f.dashboard.mu.Lock()
	defer f.dashboard.mu.Unlock()
	f.pass(m)
}

// pass hands a message to every watcher, and waits for none.
func (f *feed) pass(m message) {
	for w := range f.watchers {
		select {
		case w <- m:
		default:
			delete(f.watchers, w)
			close(w)
		}
	}
}
