package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"queuetrack/api"
	"queuetrack/cmd/queuetrack/demo"
	"queuetrack/eventstore/source"
)

// demoOptions are demo's own flags.
type demoOptions struct {
	seed   uint64
	past   time.Duration
	speed  float64
	length time.Duration
	quiet  bool
}

func newDemo(a *app) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show it all: a private Postgres, three sources, a simulated service day",
		Long: `Starts the whole server on a private Postgres in a temporary folder, with three sources: a city hall (Qminder), a
store (Ombori) and a help desk (SuperOffice). A simulated service day, which opened some hours ago, is posted to it as
signed webhooks over HTTP, as the vendors would: the past as fast as it is answered, then live. The terminal shows the
queues as the REST API tells them.

Ctrl-C ends it and leaves nothing behind: no Postgres, no folder.`,
		Example: `  queuetrack demo
  queuetrack demo --seed 7 --past 6h --for 1m`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.past < 0 || o.past > 12*time.Hour || o.speed < 0 || o.length < 0 {
				return usageError{errors.New("--past is 0 to 12h, --speed and --for are not negative")}
			}
			return a.demo(cmd.Context(), o)
		},
	}
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "`N` that the day is drawn from: the same number, the same visitors")
	cmd.Flags().DurationVar(&o.past, "past", 3*time.Hour, "how long ago the service points opened")
	cmd.Flags().Float64Var(&o.speed, "speed", 0, "tell the past `N` times as fast as it was (60: a minute a second); 0: as fast as it is answered")
	cmd.Flags().DurationVar(&o.length, "for", 0, "end by itself after this long; 0: with Ctrl-C")
	cmd.Flags().BoolVar(&o.quiet, "quiet", false, "show no overview")
	return cmd
}

func (a *app) demo(ctx context.Context, o demoOptions) (err error) {
	c, _, err := a.merge() // it has sources of its own
	if err != nil {
		return err
	}
	if local, err := api.Loopback(c.Listen.Value); err != nil {
		return err
	} else if !local {
		return fmt.Errorf("listen on %s: the demo asks nobody for a key, so it is for this machine only; choose 127.0.0.1 and a port", c.Listen.Value)
	}
	c.Access = defaultAccess() // a key from a file would close it
	if o.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.length)
		defer cancel()
	}
	listener, err := a.listenOrElsewhere(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // the server closed it, unless it never came to that
	folder, err := scratchFolder("queuetrack-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	c.DatabaseURL, c.DataDir = setting{}, setting{filepath.Join(folder, "data"), "demo"}
	if c.Sources, err = demoSources(listener); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, "Starting a private Postgres and the server …")
	return a.runDemo(ctx, c, listener, o)
}

// runDemo runs server and day side by side; when one ends, so does the other.
func (a *app) runDemo(ctx context.Context, c config, l net.Listener, o demoOptions) error {
	logger := c.logger(a.stderr, slog.LevelError)
	ctx, end := context.WithCancel(ctx)
	defer end()
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer end()
		return a.serveOn(running, c, l, logger, false, func(s *server) {
			day := &serviceDay{app: a, options: o, parts: s.parts, base: "http://" + reachable(l.Addr().String())}
			day.caughtUp = day.explain
			group.Go(func() error { return day.run(running) })
		})
	})
	err := group.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil // that is how a demo ends
	}
	return err
}

// listenOrElsewhere takes the address, or where only the default was asked for and is taken, a free port.
func (a *app) listenOrElsewhere(ctx context.Context, wanted setting) (net.Listener, error) {
	l, err := listen(ctx, wanted.Value)
	if err == nil || wanted.Origin != originDefault {
		return l, err
	}
	l, err = listen(ctx, "127.0.0.1:0")
	if err == nil {
		fmt.Fprintf(a.stdout, "%s is taken, so the demo listens on %s.\n", wanted.Value, l.Addr())
	}
	return l, err
}

// demoSources are the places' configuration, with secrets that nobody else knows.
func demoSources(l net.Listener) ([]sourceConfig, error) {
	var list []sourceConfig
	for _, p := range demo.Places() {
		zone, err := time.LoadLocation(p.Zone)
		if err != nil {
			return nil, fmt.Errorf("load the zone of %s: %w", p.Source, err)
		}
		s := sourceConfig{
			Kind: kind(p.Vendor), Location: zone, ReplayWindow: defaultReplayWindow, ExpireAfter: defaultExpireAfter,
			Queues: map[string]queueConfig{},
			Config: source.Config{
				Name: p.Source, Zone: zone, Header: "Authorization", ServingTab: true, UnassignedOwner: defaultUnassignedOwner,
				PublicURL: fmt.Sprintf("http://%s/webhooks/%s", l.Addr(), p.Source),
				Secrets:   []source.Secret{{Name: "literal-1", Value: []byte("Bearer " + rand.Text())}},
			},
		}
		for _, q := range p.Queues {
			s.Queues[q.ID] = queueConfig{Name: q.Name, Location: q.Location}
		}
		list = append(list, s)
	}
	return list, nil
}

// serviceDay posts the day and shows what comes of it.
type serviceDay struct {
	app      *app
	options  demoOptions
	parts    *parts
	base     string
	caughtUp func() // called once, when the day has reached the present
	posted   atomic.Int64
	live     atomic.Bool
}

func (d *serviceDay) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		player := demo.Player{
			Post: d.post, Now: time.Now, Speed: d.options.speed,
			CaughtUp: func() { d.live.Store(true); d.caughtUp() },
		}
		return player.Play(ctx, demo.NewDay(d.options.seed, time.Now().Add(-d.options.past)))
	})
	if !d.options.quiet {
		group.Go(func() error { return d.show(ctx) })
	}
	return group.Wait()
}

// How often a vendor tries again while the server says that it is busy, and how long it waits between.
const (
	demoTries = 20
	demoPause = 500 * time.Millisecond
)

// post delivers as a vendor would: again, while the answer is that nothing was kept.
func (d *serviceDay) post(ctx context.Context, delivery demo.Delivery) error {
	s := sender{client: http.DefaultClient, source: d.parts.sources[delivery.Source], url: d.base + "/webhooks/" + delivery.Source}
	for try := 1; ; try++ {
		status, answer, err := s.post(ctx, delivery.Body)
		switch {
		case err != nil:
			return fmt.Errorf("post to %s: %w", s.url, err)
		case status == http.StatusOK:
			d.posted.Add(1)
			return nil
		case status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests, try == demoTries:
			return fmt.Errorf("post to %s: %d %s", s.url, status, answer)
		}
		sleep(ctx, demoPause)
	}
}

// sleep waits; less when ctx ends before.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// explain says what to look at, once the day is there.
func (d *serviceDay) explain() {
	if !d.options.quiet {
		return // it stands below the overview
	}
	for _, line := range d.addresses() {
		fmt.Fprintln(d.app.stdout, line)
	}
}

func (d *serviceDay) addresses() []string {
	return []string{
		"Look at it in a browser:",
		"  " + d.base + "/            how things stand, with reports and projections",
		"  " + d.base + "/board/city  the board on the wall",
		"or ask for it:",
		"  curl -s " + d.base + "/v1/queues",
		"  curl -s '" + d.base + "/v1/queues/city/37338/tickets?status=waiting'",
		"  curl -s '" + d.base + "/v1/reports/waits?source=city&group_by=queue'",
		"  " + d.base + "/docs describes the rest. Ctrl-C ends the demo.",
	}
}

// How often the overview is drawn: over itself on a terminal, else one block below the other.
const (
	drawOnTerminal = time.Second
	drawBelow      = 5 * time.Second
)

// show draws the queues until ctx ends. A read that fails shows up as the old figures for a moment.
func (d *serviceDay) show(ctx context.Context) error {
	terminal := isTerminal(d.app.stdout)
	pause := drawBelow
	if terminal {
		pause = drawOnTerminal
	}
	overview := demo.Overview{Out: d.app.stdout, Redraw: terminal}
	below := d.addresses()
	for ctx.Err() == nil {
		if queues, err := d.queues(ctx); err == nil && len(queues) > 0 {
			if err := overview.Draw(d.title(), queues, below); err != nil {
				return err
			}
			if !terminal {
				below = nil // once is enough where nothing is drawn over
			}
		}
		wait := pause
		if !d.live.Load() {
			wait = drawOnTerminal
		}
		sleep(ctx, wait)
	}
	return nil
}

func (d *serviceDay) title() string {
	phase := "live"
	if !d.live.Load() {
		phase = "telling the past"
	}
	return fmt.Sprintf("queuetrack demo · %s · %s · %d webhooks", time.Now().Format("15:04:05"), phase, d.posted.Load())
}

// queues asks the REST API, as any user of it.
func (d *serviceDay) queues(ctx context.Context) ([]demo.QueueCount, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+"/v1/queues", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Items []demo.QueueCount `json:"items"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read the queues: %w", err)
	}
	return answer.Items, nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
