package query

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"queuetrack/api"
	"queuetrack/projection"
)

// What a StreamConfig does not say.
const (
	DefaultStreamPoll      = 50 * time.Millisecond
	DefaultStreamHeartbeat = 15 * time.Second
	DefaultStreamsAtMost   = 256
)

const (
	// readersAtOnce bounds the connections of those that catch up by themselves: after a restart, all do.
	readersAtOnce = 4
	// retryMillis is what a client waits before it comes back.
	retryMillis = 2000
	// headerLastEventID and paramLastEventID tell where a client was. The header wins: who comes back sends the address
	// that it began with.
	headerLastEventID = "Last-Event-ID"
	paramLastEventID  = "last_event_id"
)

// Why a stream ended, in its log line.
const (
	endedSlow = "the client read too slowly"
	endedGone = "the client hung up"
	endedHere = "the server shuts down"
	endedKey  = "the key no longer opens it"
)

// StreamConfig is what streams do not have to be given. The zero value works.
type StreamConfig struct {
	Poll      time.Duration         // how often is looked for changes while somebody listens; 0: DefaultStreamPoll
	Heartbeat time.Duration         // 0: DefaultStreamHeartbeat
	AtMost    int                   // streams at a time; one more gets 503; 0: DefaultStreamsAtMost
	Logger    *slog.Logger          // nil: slog.Default()
	Metrics   prometheus.Registerer // nil: none
}

func (c StreamConfig) withDefaults() StreamConfig {
	if c.Poll <= 0 {
		c.Poll = DefaultStreamPoll
	}
	if c.Heartbeat <= 0 {
		c.Heartbeat = DefaultStreamHeartbeat
	}
	if c.AtMost <= 0 {
		c.AtMost = DefaultStreamsAtMost
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Run feeds the streams until ctx ends, and then ends them all: an HTTP server that shuts down waits for them. Without
// it, streams send what they missed and heartbeats. The error is always nil; it is there for errgroups.
func (d *Door) Run(ctx context.Context) error {
	d.hub.run(ctx)
	return nil
}

// stream is one client of GET /v1/stream.
//
// A client without an id begins at the present; one with an id gets all that has changed since, a page of positions at a
// time, and then joins the hub. Both read steps, so what is sent is the same, whoever read it.
//
// Each message is the present state of a ticket or queue, so a client may see one twice and is none the worse for it. It
// misses nothing: the id comes with the last message of a step, and tells that all of the step has been sent. A client
// that is cut within a step comes back with the id before it, and gets the whole step again.
type stream struct {
	door       *Door
	filter     streamFilter
	out        http.ResponseWriter
	control    *http.ResponseController
	beat       *time.Ticker
	at         bookmark
	generation int
	resumes    bool
	buffer     bytes.Buffer
}

// streamFilter is what a client wants; empty fields want all.
type streamFilter struct{ source, queue string }

func (f streamFilter) wants(source string, m message) bool {
	return (f.source == "" || f.source == source) && (f.queue == "" || slices.Contains(m.queues, f.queue))
}

func (d *Door) stream(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		api.Fail(w, r, api.MethodNotAllowed(http.MethodGet))
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(d.hub.life, cancel)()
	select {
	case d.hub.places <- struct{}{}:
		defer func() { <-d.hub.places }()
	default:
		api.Fail(w, r, api.NewProblem(api.KindBusy, fmt.Sprintf("%d streams are open, which is the most. Come again later.", cap(d.hub.places))).With("Retry-After", "10"))
		return
	}
	s := &stream{door: d, out: w, control: http.NewResponseController(w)}
	if err := s.prepare(ctx, r); err != nil {
		api.Fail(w, r, err)
		return
	}
	d.hub.metrics.open.Inc()
	defer d.hub.metrics.open.Dec()
	api.Annotate(r.Context(), slog.String("ended", s.run(ctx)))
}

// prepare reads what is asked for, and where it begins.
func (s *stream) prepare(ctx context.Context, r *http.Request) error {
	id, err := s.parse(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.door.cfg.Timeout)
	defer cancel()
	return s.door.view(ctx, func(v *projection.View) error {
		s.generation, s.at, s.resumes = v.Generation, bookmark{}, len(id) > 0
		for _, source := range s.door.names {
			if s.filter.source != "" && s.filter.source != source {
				continue
			}
			position, named := id[source]
			if position > v.Positions[source] {
				return api.NewProblem(api.KindPositionAhead, fmt.Sprintf("The id says that %s was folded through %d, and that is only %d: it is of another database, or a backup was restored. "+
					"Begin anew without an id, and read again what you show.", source, position, v.Positions[source]))
			}
			if s.at[source] = position; !named {
				s.at[source] = v.Positions[source]
			}
		}
		return nil
	})
}

// streamParameters are what the query may say.
var streamParameters = []string{paramLastEventID, "queue", "source"}

// parse reads the request; the bookmark is empty where it has no id.
func (s *stream) parse(r *http.Request) (bookmark, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, api.Invalid(api.FieldError{Pointer: "/query", Detail: badQuery})
	}
	p := parser{errs: checkQuery(values, streamParameters)}
	s.filter = streamFilter{source: s.door.source(&p, values.Get("source")), queue: values.Get("queue")}
	last := vector(cmp.Or(r.Header.Get(headerLastEventID), values.Get(paramLastEventID)))
	id := s.door.vector(&p, paramLastEventID, last, 0)
	return id, p.err()
}

// run sends until the client is gone, and says why it ended.
func (s *stream) run(ctx context.Context) string {
	s.beat = time.NewTicker(s.door.hub.heartbeat)
	defer s.beat.Stop()
	l, err := s.begin(ctx)
	if l != nil {
		defer s.door.hub.leave(l)
	}
	for err == nil {
		select {
		case st := <-l.steps:
			l.took(st)
			err = s.send(st)
		case <-s.beat.C:
			err = s.heartbeat("")
		case <-l.cut:
			if l.why == endedSlow {
				s.door.hub.metrics.slow.Inc()
			}
			return l.why
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	switch {
	case s.door.hub.life.Err() != nil:
		return endedHere
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.door.hub.metrics.slow.Inc()
		return endedSlow
	case errors.Is(context.Cause(ctx), api.Unauthorized()):
		return endedKey
	case ctx.Err() != nil:
		return endedGone
	}
	return err.Error()
}

// begin answers, tells what was missed, and joins the hub. It reads on after joining: what was folded meanwhile is in no
// step to come.
func (s *stream) begin(ctx context.Context) (*listener, error) {
	// The server's deadlines are for requests that end. Each write has its own (package api).
	_ = s.control.SetReadDeadline(time.Time{})
	h := s.out.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("X-Accel-Buffering", "no")
	if err := s.heartbeat(fmt.Sprintf("retry: %d\n", retryMillis)); err != nil {
		return nil, err
	}
	if s.resumes {
		if err := s.catchUp(ctx); err != nil {
			return nil, err
		}
	}
	l := s.door.hub.join(s.at)
	return l, s.catchUp(ctx)
}

// catchUp reads up to the present, source by source, a page a snapshot. It holds a connection only while it reads.
func (s *stream) catchUp(ctx context.Context) error {
	for source := range s.at {
		for more := true; more; {
			var next *step
			var err error
			if next, more, err = s.page(ctx, source); err == nil {
				err = s.send(next)
			}
			if err != nil {
				return err
			}
			select {
			case <-s.beat.C:
				err = s.heartbeat("")
			default:
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// page reads the next page of a source, when it is this stream's turn.
func (s *stream) page(ctx context.Context, source string) (next *step, more bool, err error) {
	select {
	case s.door.hub.turns <- struct{}{}:
		defer func() { <-s.door.hub.turns }()
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, s.door.cfg.Timeout)
	defer cancel()
	err = s.door.view(ctx, func(v *projection.View) error {
		next, err = s.door.step(ctx, v, source, s.at[source])
		more = err == nil && next.through < v.Positions[source]
		return err
	})
	return next, more, err
}

// send passes on what the client wants of a step, unless it knows better already: a stream that has read further by itself
// has seen later states than the step's, and sending those now would leave it with the older ones.
func (s *stream) send(st *step) error {
	switched := st.generation != s.generation
	s.generation = st.generation
	at, follows := s.at[st.source]
	if follows && at <= st.through {
		s.at[st.source] = st.through
		var last *message
		for i, m := range st.messages {
			if (m.last > at || m.revived) && s.filter.wants(st.source, m) {
				if last != nil {
					s.buffer.WriteByte('\n')
				}
				s.buffer.Write(m.data)
				last = &st.messages[i]
			}
		}
		if last != nil {
			fmt.Fprintf(&s.buffer, "id: %s\n\n", s.at)
		}
	}
	if switched {
		return s.heartbeat("")
	}
	return s.flush()
}

// beat is what a heartbeat says.
type beat struct {
	Positions  bookmark `json:"positions"`
	Generation int      `json:"generation"`
}

// heartbeat shows that the connection lives, and moves the id of a client that no message was for.
func (s *stream) heartbeat(more string) error {
	data, err := json.Marshal(beat{s.at, s.generation})
	if err != nil {
		return fmt.Errorf("render a heartbeat: %w", err)
	}
	fmt.Fprintf(&s.buffer, "%sevent: heartbeat\ndata: %s\nid: %s\n\n", more, data, s.at)
	return s.flush()
}

// flush sends what was gathered. A client that doesn't read in time is an error.
func (s *stream) flush() error {
	if s.buffer.Len() == 0 {
		return nil
	}
	defer s.buffer.Reset()
	if _, err := s.out.Write(s.buffer.Bytes()); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return s.control.Flush()
}
