// Package ingest is the door in: POST /webhooks/{source}.
//
// A delivery goes one way: route → size → raw read → verify → append → answer. Before the signature has verified,
// nothing touches the database, nothing is parsed, and at most one MiB is held in memory, which is reserved as it
// arrives. After it has verified, the delivery is kept whatever it says, and the answer is given after the commit: a
// sender that saw 200 may forget it.
package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"queuetrack/api"
	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

// Prefix is the path that the door is mounted at; the source's name follows it.
const Prefix = "/webhooks/"

// The defaults of Config.
const (
	DefaultMaxInFlight      = 2048
	DefaultMaxInFlightBytes = 64 << 20
	DefaultReadTimeout      = 10 * time.Second
	DefaultAppendTimeout    = 10 * time.Second
)

// MaxBody is the size of the largest body that is read, in bytes.
const MaxBody = 1 << 20

// Log is what the door needs of the event log. Append returns after the commit; eventstore.ErrBusy means that
// nothing was kept. Reject never waits for the database, and asks for a description only of some.
type Log interface {
	Append(ctx context.Context, source string, d eventstore.Delivery) (eventstore.Receipt, error)
	Reject(source, cause string, describe func() eventstore.Rejection)
}

// Config is what the door does not have to be given. The zero value works.
type Config struct {
	MaxInFlight      int           // deliveries held at once, of one source at most half; 0: DefaultMaxInFlight
	MaxInFlightBytes int64         // bytes of bodies held at once, of one source at most half; 0: DefaultMaxInFlightBytes
	ReadTimeout      time.Duration // for a whole body to arrive; 0: DefaultReadTimeout
	AppendTimeout    time.Duration // for the log to answer; 0: DefaultAppendTimeout
	Now              func() time.Time
	Metrics          prometheus.Registerer // nil: not measured
}

// door answers deliveries. Safe for concurrent use.
type door struct {
	log     Log
	sources map[string]source.Source
	cfg     Config
	room    room
	metrics metrics
}

// New returns the handler of [Prefix]. The sources must not change afterwards.
func New(log Log, sources map[string]source.Source, cfg Config) http.Handler {
	if cfg.MaxInFlight == 0 {
		cfg.MaxInFlight = DefaultMaxInFlight
	}
	if cfg.MaxInFlightBytes == 0 {
		cfg.MaxInFlightBytes = DefaultMaxInFlightBytes
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = DefaultReadTimeout
	}
	if cfg.AppendTimeout == 0 {
		cfg.AppendTimeout = DefaultAppendTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &door{log: log, sources: sources, cfg: cfg}
	d.room = room{deliveries: cfg.MaxInFlight, bytes: cfg.MaxInFlightBytes}
	d.metrics = newMetrics(cfg.Metrics, sources, &d.room)
	return d
}

// ServeHTTP takes one delivery and answers it.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	name, _ := strings.CutPrefix(r.URL.Path, Prefix)
	src, known := d.sources[name]
	if !known {
		d.metrics.observe("unknown", resultUnknown, time.Since(started))
		api.Annotate(r.Context(), slog.String("cause", resultUnknown))
		api.Fail(w, r, api.NewProblem(api.KindUnknownSource,
			"The path is /webhooks/ and the name of a source in the configuration, nothing after it."))
		return
	}
	api.Annotate(r.Context(), slog.String("source", name))
	a, err := d.receive(w, r, name, src)
	if err != nil {
		d.metrics.observe(name, refuse(w, r, err), time.Since(started))
		return
	}
	d.metrics.observe(name, a.Status, time.Since(started))
	d.metrics.received(name, d.cfg.Now())
	answer(w, r, a)
}

// accepted is the answer to an authentic delivery.
type accepted struct {
	Status   string `json:"status"`
	Position int64  `json:"position,omitempty"`
}

// statusPing answers a vendor's registration test, which is not stored.
const statusPing = "ping"

// delivery is what has come of one so far.
type delivery struct {
	body  []byte
	whole bool  // the body was read to its end
	size  int64 // bytes that came, or as claimed while none was read; -1: not told
	place *place
}

// receive takes a delivery to a configured source through the checks and into the log, and notes it when it is refused.
func (d *door) receive(w http.ResponseWriter, r *http.Request, name string, src source.Source) (accepted, error) {
	in := &delivery{size: r.ContentLength}
	defer in.leave()
	a, err := d.check(w, r, name, src, in)
	if err != nil {
		d.note(r, name, in, err)
	}
	return a, err
}

// leave gives back the room that the delivery holds.
func (in *delivery) leave() {
	if in.place != nil {
		in.place.leave()
	}
}

// check lets through what has the form of a delivery and verifies.
func (d *door) check(w http.ResponseWriter, r *http.Request, name string, src source.Source, in *delivery) (accepted, error) {
	if err := checkForm(r); err != nil {
		return accepted{}, err
	}
	if err := d.read(w, r, name, in); err != nil {
		return accepted{}, err
	}
	key, err := src.Verify(r.Header, in.body)
	if err != nil {
		return accepted{}, reject(CauseSignature, api.NewProblem(api.KindBadSignature,
			"No live secret of this source verifies the delivery. Compare the secret and, where the signature covers it, the public URL with those registered at the vendor."))
	}
	return d.keep(r, name, src, key, in.body)
}

// keep appends an authentic delivery. It goes on when the sender hangs up: what is authentic is not lost, and the
// sender's retry will find it.
func (d *door) keep(r *http.Request, name string, src source.Source, key string, body []byte) (accepted, error) {
	id := identify(src, body)
	if id.Ping {
		return accepted{Status: statusPing}, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), d.cfg.AppendTimeout)
	defer cancel()
	receipt, err := d.log.Append(ctx, name, eventstore.Delivery{
		Ticket:      id.Ticket,
		Type:        id.Type,
		EventKey:    id.EventKey,
		OccurredAt:  id.OccurredAt,
		ReceivedAt:  d.cfg.Now().UTC(),
		Body:        body,
		VerifiedBy:  key,
		Quarantined: id.Quarantine,
	})
	if errors.Is(err, eventstore.ErrBusy) || errors.Is(err, context.DeadlineExceeded) {
		return accepted{}, reject(CauseBusy, api.Busy())
	}
	if err != nil {
		return accepted{}, err
	}
	return accepted{Status: string(receipt.Result), Position: receipt.Position}, nil
}

// identify asks the adapter, and quarantines what makes it panic: a body that the sender chose must neither be lost
// nor take the door down.
func identify(src source.Source, body []byte) (id source.Identity) {
	defer func() {
		if recover() != nil {
			id = source.Identity{Type: "unknown", Quarantine: "the adapter panicked on it"}
		}
	}()
	return src.Identify(body)
}

// answer writes the answer to an authentic delivery: always exactly 200, since one vendor counts anything else as a
// failure.
func answer(w http.ResponseWriter, r *http.Request, a accepted) {
	api.Annotate(r.Context(), slog.String("result", a.Status))
	if a.Position > 0 {
		api.Annotate(r.Context(), slog.Int64("position", a.Position))
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // the sender is gone: its retry gets the answer
}
