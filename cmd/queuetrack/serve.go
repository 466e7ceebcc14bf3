package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"queuetrack/api/access"
	"queuetrack/migrations"
)

// authNoneWord is the only value of --auth: that everybody may read is said aloud.
const authNoneWord = "none"

// serveOptions are serve's own flags.
type serveOptions struct {
	noMigrate bool
	auth      string
	drain     time.Duration
	rebuild   bool
}

func newServe(a *app) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Take webhooks in, answer over REST, and keep the read models up to date",
		Long: `Runs the whole server: webhooks on /webhooks/SOURCE, the REST API on /v1 (described on /docs), health on /livez and
/readyz, metrics on /metrics, and the projectors. It brings the database's schema up first.

Who reads shows an API key: 'queuetrack apikey create' makes one, or a file named by QUEUETRACK_ADMIN_KEY_FILE holds the
first. On a loopback address nobody is asked as long as no key was ever made; on any other the server doesn't start without
one, unless --auth=none says aloud that everybody may read. Webhooks need no key, nor do /livez and /readyz.

SIGTERM or SIGINT ends it in order: /readyz fails, after --drain no more requests are accepted, running ones are
finished (15 s at most), the projectors stop, the private Postgres (if it is ours) stops. A second signal ends it at
once; nothing that was answered with 200 is lost either way.

OpenTelemetry's environment variables turn traces on: OTEL_EXPORTER_OTLP_ENDPOINT says where to send them, over OTLP/HTTP.

When another version of queuetrack folded the read models, or other settings of a source, the log says so at the start, as
do /readyz?verbose, /v1/projections and the metric queuetrack_projection_drift: 'queuetrack rebuild' mends it. With
--rebuild-on-drift the server does that by itself in the background, and goes on where a stop interrupted it. Each version
does so once: two that run side by side don't take turns.

SIGHUP reads the configuration file and all file: secrets again, and replaces the sources' secrets: a new one verifies
and a dropped one no longer does, from the next delivery on, while those under way go on. The log names the secrets that
are live. Nothing but secrets changes without a restart: the log says which other keys wait for one. With a mistake
anywhere nothing changes, and the log says where ('queuetrack config check' tells beforehand). An env: secret can't change
in a running process: keep in a file: what shall change, and replace that file by renaming another to it.`,
		Example: `  queuetrack serve --config queuetrack.yaml
  DATABASE_URL=postgres://queuetrack@db/queuetrack queuetrack serve --config queuetrack.yaml --log-format json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.auth != "" && o.auth != authNoneWord {
				return usageError{fmt.Errorf("--auth %q: only %q is known", o.auth, authNoneWord)}
			}
			if o.drain < 0 {
				return usageError{fmt.Errorf("--drain must not be negative")}
			}
			return a.inLog(cmd.Context(), a.serve(cmd.Context(), o))
		},
	}
	cmd.Flags().BoolVar(&o.noMigrate, "no-migrate", false, "refuse to start when a migration is pending, instead of applying it")
	cmd.Flags().StringVar(&o.auth, "auth", "", "'none' asks nobody for an API key: everybody who reaches the address may read and change everything")
	cmd.Flags().StringVar(&a.flags.trustedProxies, "trusted-proxies", "", "`RANGES` of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, as 10.0.0.0/8,127.0.0.1; also QUEUETRACK_TRUSTED_PROXIES")
	cmd.Flags().StringVar(&a.flags.rateLimit, "rate-limit", "", "requests a second that a key may send, `N`, twice as many at once; 0: no limit (default "+strconv.Itoa(access.DefaultRate)+"); also QUEUETRACK_RATE_LIMIT")
	cmd.Flags().DurationVar(&o.drain, "drain", 0, "how long to go on accepting requests after a signal, with /readyz failing: longer than a load balancer takes to notice")
	cmd.Flags().BoolVar(&o.rebuild, "rebuild-on-drift", false, "rebuild the read models in the background when another version, or other settings, folded them")
	return cmd
}

func (a *app) serve(ctx context.Context, o serveOptions) (err error) {
	// From the first moment on: a signal that comes while the server starts must not end it.
	reloads := make(chan os.Signal, 1)
	signal.Notify(reloads, syscall.SIGHUP)
	defer signal.Stop(reloads)
	c, err := a.loadConfig()
	if err != nil {
		return err
	}
	c.Access.AuthNone = o.auth == authNoneWord
	logger := c.logger(a.stderr, slog.LevelInfo)
	listener, err := listen(ctx, c.Listen.Value)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // the server closed it, unless it never came to that
	return a.serveOn(ctx, c, listener, logger, o.noMigrate, func(s *server) {
		r := &reloader{read: a.loadConfig, running: c, live: s.parts.live, logger: logger}
		s.drain, s.rebuild = o.drain, o.rebuild
		s.reload = func(ctx context.Context) error { return r.run(ctx, reloads) }
		a.announce(ctx, s.logger, c, listener)
	})
}

// inLog says in the log why serve ended, where that is JSON: whoever collects it reads every line of the process as such.
func (a *app) inLog(ctx context.Context, err error) error {
	c, _, unread := a.merge()
	if err == nil || unread != nil || c.LogFormat.Value != logJSON {
		return err
	}
	c.logger(a.stderr, slog.LevelInfo).ErrorContext(ctx, "serve ended", "error", err)
	return errNo
}

// serveOn runs the server on a database of its own finding, and calls started when it is about to answer.
func (a *app) serveOn(ctx context.Context, c config, listener net.Listener, logger *slog.Logger, noMigrate bool, started func(*server)) (err error) {
	tracer, endTracing := a.startTracing(ctx, logger)
	defer endTracing()
	if c.tracer = tracer; tracer != nil {
		logger = slog.New(withTrace{logger.Handler()})
	}
	open := openDatabase
	if noMigrate { // a database that isn't there has no schema either
		open = existingDatabase
	}
	db, err := open(ctx, c, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	if !noMigrate {
		if err := migrations.Up(ctx, db.url, logger); err != nil {
			return err
		}
	}
	reading, err := openPool(ctx, db.url, readConnections)
	if err != nil {
		return err
	}
	defer reading.Close()
	working, err := openPool(ctx, db.url, workConnections(len(c.Sources)))
	if err != nil {
		return err
	}
	defer working.Close()
	filling, err := openPool(ctx, db.url, fillConnections())
	if err != nil {
		return err
	}
	defer filling.Close()
	if err := migrations.Check(ctx, working); err != nil {
		return err
	}
	p, err := newParts(c, pools{reading, working, filling})
	if err != nil {
		return err
	}
	if err := p.prepareAccess(ctx, logger); err != nil {
		return err
	}
	s := newServer(p, logger, time.Now)
	s.database = db
	started(s)
	return s.run(ctx, listener)
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; choose another one: listen in the configuration, which the other commands read too, or --listen", address, err)
	}
	return l, nil
}

// announce says where everything is, and how to go on without a source: to a person, or in the log, where that is JSON.
func (a *app) announce(ctx context.Context, logger *slog.Logger, c config, l net.Listener) {
	base := "http://" + reachable(l.Addr().String())
	if c.LogFormat.Value == logJSON {
		var names []string
		for _, s := range c.Sources {
			names = append(names, s.Name)
		}
		logger.InfoContext(ctx, "listening", "url", base, "sources", names)
		return
	}
	fmt.Fprintf(a.stdout, "queuetrack listens on %s\n", base)
	for _, s := range c.Sources {
		fmt.Fprintf(a.stdout, "  webhooks of %-10s %s/webhooks/%s\n", s.Name, base, s.Name)
		fmt.Fprintf(a.stdout, "  board of %-13s %s/board/%s\n", s.Name, base, s.Name)
	}
	printAddresses(a.stdout, base)
	if len(c.Sources) == 0 {
		fmt.Fprint(a.stdout, noSources)
	}
}

func printAddresses(w io.Writer, base string) {
	fmt.Fprintf(w, "  dashboard              %s/\n  queues                 %s/v1/queues\n  everything else        %s/docs\n", base, base, base)
}

const noSources = `No source is configured, so no webhook is accepted. Add one to a file and name that with --config:

  sources:
    - name: city
      kind: qminder
      public_url: https://hooks.example.com/webhooks/city
      secrets: [env:QMINDER_SECRET]
`
