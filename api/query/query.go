// Package query is the door out: GET /v1/…, the few POSTs by which an operator steps in, its OpenAPI document and its
// documentation page.
//
// Each handler goes one way: parse → one call per read model, all in one view → render. It holds no SQL. What an
// answer says of several read models, and the positions beside it, comes from one snapshot, so it belongs together.
// Names of queues and locations are resolved here, when answering: configuration, else the vendor's latest name, else
// the id.
package query

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"queuetrack/api"
	"queuetrack/eventstore"
	"queuetrack/projection"
	"queuetrack/projection/board"
)

// DefaultTimeout bounds how long an answer may take.
const DefaultTimeout = 30 * time.Second

// Config is what the door answers about.
type Config struct {
	Sources []SourceInfo     // the configured sources
	Version string           // of this binary, for the OpenAPI document
	Build   string           // tells this binary from every other: answers of two may differ
	Now     func() time.Time // nil: time.Now
	Timeout time.Duration    // 0: DefaultTimeout

	Operator Operator // does what the POSTs ask for; nil: this door has none
	Rebuilds Rebuilds // with an Operator; nil: no POST begins a rebuild
	Stream   StreamConfig
}

// Operator changes something for a person who asks for it, at a configured source, and returns after the commit. An error
// that is an *[api.Problem] is the answer.
type Operator interface {
	// Retry appends a quarantined event anew, and returns its position.
	Retry(ctx context.Context, source string, position int64) (int64, error)
	// CloseTicket ends an open ticket by an event, and returns its position; projection.ErrNotOpen when it isn't one.
	CloseTicket(ctx context.Context, source, ticket, reason string) (int64, error)
	// RetryDeadLetter is [projection.Runner.Retry].
	RetryDeadLetter(ctx context.Context, source string, position int64) (projection.Retried, error)
	// DismissDeadLetter is [projection.Runner.Dismiss].
	DismissDeadLetter(ctx context.Context, source string, position int64) (projection.Retried, error)
}

// SourceInfo is what the configuration says of a source.
type SourceInfo struct {
	Name        string
	Kind        string         // the vendor
	Zone        *time.Location // nil: UTC
	SilentAfter time.Duration  // without a webhook for so long it is silent; 0: never
	Queues      map[string]QueueInfo
}

// QueueInfo is what the configuration calls a queue; empty fields leave it to the vendor. Location may be a vendor's
// id of one.
type QueueInfo struct {
	Name     string
	Location string
}

// Door answers queries. Safe for concurrent use.
type Door struct {
	reader  *projection.Reader
	log     *eventstore.Log
	cfg     Config
	sources map[string]SourceInfo
	names   []string // of the sources, sorted
	hub     *hub     // of the streams
	digest  string   // of this binary and its configuration
}

// New returns the door out. The log answers /v1/events, /v1/sources and /v1/quarantine, the reader everything else.
func New(reader *projection.Reader, log *eventstore.Log, cfg Config) *Door {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	d := &Door{reader: reader, log: log, cfg: cfg, sources: map[string]SourceInfo{}}
	for _, s := range cfg.Sources {
		if s.Zone == nil {
			s.Zone = time.UTC
		}
		d.sources[s.Name] = s
	}
	d.names = slices.Sorted(maps.Keys(d.sources))
	d.digest = digestOf(d.cfg, d.sources)
	d.hub = newHub(d, cfg.Stream.withDefaults())
	return d
}

// Mount adds the door's paths to the router.
func (d *Door) Mount(r chi.Router) {
	h := d.huma(humachi.NewAdapter(r))
	mountDocs(r, h.OpenAPI())
	r.HandleFunc(streamPath, d.stream)
}

// huma registers every operation.
func (d *Door) huma(a huma.Adapter) huma.API {
	h := huma.NewAPI(humaConfig(d.cfg.Version), a)
	h.UseMiddleware(strict)
	d.registerQueues(h)
	d.registerTickets(h)
	d.registerReports(h)
	d.registerBacktest(h)
	d.registerLog(h)
	d.registerRejections(h)
	d.registerQuarantine(h)
	d.registerProjections(h)
	d.registerRebuilding(h)
	d.registerDeadLetters(h)
	if d.cfg.Operator != nil {
		d.registerPosts(h)
	}
	describeStream(h.OpenAPI())
	describeRest(h.OpenAPI())
	describeParameters(h.OpenAPI())
	return h
}

// view opens one consistent look at the present, for what is not kept by anybody: [Door.answer] is for what is.
func (d *Door) view(ctx context.Context, f func(*projection.View) error) error {
	return d.reader.View(ctx, func(v *projection.View) error {
		v.Now = d.cfg.Now().UTC()
		return f(v)
	})
}

// positions are how far each configured source has been folded in the view.
func (d *Door) positions(v *projection.View) map[string]int64 {
	at := make(map[string]int64, len(d.names))
	for _, name := range d.names {
		at[name] = v.Positions[name]
	}
	return at
}

// known reports whether the source is configured. One that no longer is has rows, but no answers.
func (d *Door) known(source string) bool {
	_, ok := d.sources[source]
	return ok
}

// requireSource answers 404 for the path of a source that isn't configured.
func (d *Door) requireSource(name string) error {
	if d.known(name) {
		return nil
	}
	return api.NewProblem(api.KindUnknownSource, "There is no source "+quote(name)+". The configured ones: "+d.listSources()+".")
}

// names resolves what queues and locations are called.
type names struct {
	sources map[string]SourceInfo
	vendor  board.Names
}

// namesOf reads the vendors' names of one source, or of all.
func (d *Door) namesOf(ctx context.Context, v *projection.View, source string) (names, error) {
	vendor, err := board.NamesOf(ctx, v, source)
	return names{sources: d.sources, vendor: vendor}, err
}

func (n names) queue(source, id string) string {
	if name := n.sources[source].Queues[id].Name; name != "" {
		return name
	}
	if name := n.vendor.Queue(source, id); name != "" {
		return name
	}
	return id
}

// location is where a queue is; empty when nobody says. Either word for it may be the id of a location that the vendor
// has a name for.
func (n names) location(source, queue string) string {
	location := n.sources[source].Queues[queue].Location
	if location == "" {
		location = n.vendor.QueueLocation(source, queue)
	}
	if name := n.vendor.Location(source, location); name != "" {
		return name
	}
	return location
}
