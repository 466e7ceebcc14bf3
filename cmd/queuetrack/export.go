package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"queuetrack/eventstore"
	"queuetrack/eventstore/archive"
)

func newExport(a *app) *cobra.Command {
	var sources, after []string
	var out string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the log as lines of JSON",
		Long: `Writes every event of the log, byte for byte as it was received, with its position, digest, times and all else that is
kept of it, and a manifest at the end; 'import' reads it. What is folded from the log (tickets, reports) isn't in it, nor
are counters (duplicates, rejections) and dismissed dead letters. Sources that are no longer configured are. The server
may be running: the log is written up to where it ended when the export began. Two exports of one log are equal byte for
byte.

Bodies hold personal data: keep the file as safe as the database. --out makes one that only its owner can read, and that
is there only when it is complete.

--after SOURCE:POSITION leaves out what an earlier export holds; the import then wants that to be there.`,
		Example: `  queuetrack export --out log.ndjson
  queuetrack export | zstd > log.ndjson.zst
  queuetrack export --source city --after city:184223 --out more.ndjson`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			scope, err := parseScope(sources, after)
			if err != nil {
				return err
			}
			return a.withLog(cmd.Context(), func(ctx context.Context, c config, log *eventstore.Log) error {
				if err := checkSources(ctx, c, log, scope); err != nil {
					return err
				}
				return a.export(ctx, log, scope, out)
			})
		},
	}
	cmd.Flags().StringSliceVar(&sources, "source", nil, "only the source of this `NAME`; may be repeated")
	cmd.Flags().StringSliceVar(&after, "after", nil, "of a source, only what comes after a position: `SOURCE:POSITION`; may be repeated")
	cmd.Flags().StringVar(&out, "out", "", "write to this `FILE` (default: standard output)")
	return cmd
}

// parseScope reads the flags.
func parseScope(sources, after []string) (archive.Scope, error) {
	scope := archive.Scope{Sources: sources, After: map[string]int64{}}
	for _, text := range after {
		source, position, ok := strings.Cut(text, ":")
		n, err := strconv.ParseInt(position, 10, 64)
		if _, twice := scope.After[source]; !ok || err != nil || n < 0 || twice {
			return archive.Scope{}, usageError{fmt.Errorf("--after %q: write SOURCE:POSITION, as city:184223, each source once", text)}
		}
		if sources != nil && !slices.Contains(sources, source) {
			return archive.Scope{}, usageError{fmt.Errorf("--after %s: %s is not among --source", text, source)}
		}
		scope.After[source] = n
	}
	return scope, nil
}

// checkSources refuses names that are neither in the log nor configured.
func checkSources(ctx context.Context, c config, log *eventstore.Log, scope archive.Scope) error {
	tails, err := log.Tails(ctx)
	if err != nil {
		return err
	}
	for _, name := range append(slices.Sorted(maps.Keys(scope.After)), scope.Sources...) {
		if _, err := c.source(name); err != nil && tails[name] == 0 {
			return usageError{fmt.Errorf("%w; in the log: %s", err, first(strings.Join(slices.Sorted(maps.Keys(tails)), ", "), "none"))}
		}
	}
	return nil
}

func (a *app) export(ctx context.Context, log *eventstore.Log, scope archive.Scope, out string) error {
	var spans []archive.Span
	write := func(w io.Writer) (err error) {
		bar := a.newBar("exporting", "events")
		defer bar.end()
		spans, err = archive.Export(ctx, log, w, scope, bar.set)
		return err
	}
	var err error
	if out == "" {
		err = write(a.stdout)
	} else {
		err = writeWhole(out, 0o600, write)
	}
	if err != nil {
		return err
	}
	var events int64
	for _, s := range spans {
		events += s.Count()
	}
	fmt.Fprintf(a.stderr, "exported %s of %s\n", counted(events, "event"), counted(len(spans), "source"))
	return nil
}

// withLog opens the database as it is, and runs do on its log: for commands that need no vendor's secret.
func (a *app) withLog(ctx context.Context, do func(context.Context, config, *eventstore.Log) error) (err error) {
	c, err := a.loadConfig()
	if err != nil {
		return err
	}
	db, pool, err := ready(ctx, c, c.logger(a.stderr, slog.LevelWarn))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	defer pool.Close()
	return do(ctx, c, eventstore.New(pool, eventstore.Config{}))
}
