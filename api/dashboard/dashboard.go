// Package dashboard is what people see: the operations pages, and the public board for a screen on the wall.
//
// A page asks the REST API, inside this process, as any client of it would, and shows the answers as HTML. So its numbers
// are the API's, it can show nothing that a client could not ask for, and every page has the address of what it shows.
//
//	request → a page's load asks REST → view → template → HTML
//	                    ↑                             │
//	                    └── feed, while it is watched ┘ → the parts that changed, as server-sent events
//
// Each live page is the same address asked for as text/event-stream: all who watch it share one [feed], which loads the
// page anew some times a second (what did not change costs the API a look at its checkpoints) and sends those parts of it
// that came out differently. Without scripts a page is loaded again every few seconds, and shows the same.
package dashboard

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"golang.org/x/sync/singleflight"

	"queuetrack/api/render"
)

// What a Config does not say.
const (
	DefaultPoll     = 250 * time.Millisecond
	DefaultBeat     = 5 * time.Second
	DefaultAtMost   = 512
	DefaultLifetime = 10 * time.Minute
)

// Config is what the pages are made of. REST, Waits and Estimates are required; the zero value of the others works.
type Config struct {
	// REST answers /v1, without asking who is calling: the pages' own guard has.
	REST http.Handler
	// Waits computes the page of a wait report from the parameters of GET /v1/reports/waits. An error that is an
	// *[queuetrack/api.Problem] is shown beside the form.
	Waits func(ctx context.Context, parameters url.Values) (render.WaitsPage, error)
	// Estimates is the same for GET /v1/reports/estimates/backtest.
	Estimates func(ctx context.Context, parameters url.Values) (render.EstimatesPage, error)
	Sessions  Sessions // nil: nobody signs in

	Build    string           // tells this binary from every other: a page of another one is loaded anew
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: slog.Default()
	Poll     time.Duration    // how often a page that is watched is looked at; 0: DefaultPoll
	Beat     time.Duration    // how often watchers hear that all is well; 0: DefaultBeat
	AtMost   int              // watchers at a time, of boards and of all other pages; one more gets 503; 0: DefaultAtMost
	Lifetime time.Duration    // of a watcher's connection: then it comes back, and is asked again who it is; 0: DefaultLifetime
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Poll <= 0 {
		c.Poll = DefaultPoll
	}
	if c.Beat <= 0 {
		c.Beat = DefaultBeat
	}
	if c.AtMost <= 0 {
		c.AtMost = DefaultAtMost
	}
	if c.Lifetime <= 0 {
		c.Lifetime = DefaultLifetime
	}
	return c
}

// Dashboard serves the pages. Safe for concurrent use.
type Dashboard struct {
	cfg       Config
	templates *template.Template
	usual     *usual
	life      context.Context // of all feeds and watchers
	end       context.CancelFunc

	// Each watcher takes a place, on a public page one of those. Nobody needs a key there, so one network has no more than
	// half of them.
	places, publicPlaces *places
	looks                singleflight.Group // that are shared

	mu    sync.Mutex
	feeds map[string]*feed
}

// New returns the pages.
func New(cfg Config) *Dashboard {
	cfg = cfg.withDefaults()
	life, end := context.WithCancel(context.Background())
	return &Dashboard{
		cfg: cfg, templates: parseTemplates(), usual: newUsual(cfg.REST, cfg.Now),
		life: life, end: end, places: newPlaces(cfg.AtMost, cfg.AtMost),
		publicPlaces: newPlaces(cfg.AtMost, cfg.AtMost/2), feeds: map[string]*feed{},
	}
}

// Run does what pages leave to be done behind them, until ctx ends; then it ends all live pages: an HTTP server that shuts
// down waits for them. The error is always nil; it is there for errgroups.
func (d *Dashboard) Run(ctx context.Context) error {
	defer d.end()
	d.usual.run(ctx)
	return nil
}

// MountPublic adds what everybody may see: the boards, the page to sign in, and what pages are made of.
func (d *Dashboard) MountPublic(r chi.Router) {
	r.Get(staticPath+"{name}", serveStatic)
	d.page(r, "/board/{source}", page{load: d.board, layout: "board-page", live: true, public: true, query: []string{"queue"}})
	if d.cfg.Sessions != nil {
		r.Get(LoginPath, d.loginPage)
		r.Post(LoginPath, d.signIn)
		r.Post(LogoutPath, d.signOut)
	}
}

// Mount adds the pages for those who may read, and their forms, every POST of which is for operators alone. Who may do what is
// for the guard around them to say; [Dashboard.Readable] around that makes pages of what it refuses.
func (d *Dashboard) Mount(r chi.Router) {
	d.page(r, "/", page{load: d.overview, live: true})
	for _, kind := range d.reports() {
		d.page(r.With(tidy), kind.Path, page{load: d.loadReport(kind)})
	}
	d.page(r, "/queues/{source}/{queue}", page{load: d.queuePage, live: true})
	d.page(r, "/tickets/{source}/{ticket}", page{load: d.ticketPage, live: true, query: []string{"done"}})
	d.page(r, projectionsPath, page{load: d.projections, live: true, query: []string{"done"}})
	r.Get("/find", d.find)
	d.mountForms(r)
}
