package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"queuetrack/eventstore"
	"queuetrack/eventstore/archive"
)

func newImport(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Put an exported log back, exactly as it was",
		Long: `Reads what 'export' wrote, and appends the events to the log with the positions, digests, times and delivery ids that
they had. FILE '-' is standard input, which is kept in a temporary file meanwhile. The schema must be there ('migrate up').

The whole file is checked before anything is written: what was cut or edited is refused. A source is imported if its log
is empty, or if the file continues it. Events that are there already must be the same, and are passed over; so an import
that was interrupted is gone on with by importing the same file again. Sources that aren't configured are imported, too.

The server may be running; its projectors fold what comes. If it appends to a source meanwhile, what is left of that
source is refused: stop the webhooks of what you import. Counters (duplicates, rejections) begin anew.
Exit code 1 when the file is refused.`,
		Example: `  queuetrack migrate up && queuetrack import log.ndjson
  zstd -dc log.ndjson.zst | queuetrack import -`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withLog(cmd.Context(), func(ctx context.Context, c config, log *eventstore.Log) (err error) {
				file, err := a.openArchive(args[0])
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, file.Close()) }()
				return a.importFile(ctx, c, log, file, args[0])
			})
		},
	}
}

// openArchive opens a file that can be read twice. Standard input becomes one, as large as it is, that has no name and so
// is gone with the process.
func (a *app) openArchive(name string) (*os.File, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
			return nil, errors.Join(fmt.Errorf("%s can't be read twice: pass it through standard input, as 'import -'", name), err, file.Close())
		}
		return file, nil
	}
	file, err := os.CreateTemp("", "queuetrack-import-*") // 0600
	if err != nil {
		return nil, err
	}
	if err = os.Remove(file.Name()); err == nil {
		_, err = io.Copy(file, a.stdin)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keep standard input in a temporary file: %w", err), file.Close())
	}
	return file, nil
}

func (a *app) importFile(ctx context.Context, c config, log *eventstore.Log, file *os.File, name string) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	bars := map[archive.Phase]*bar{}
	done, err := archive.Import(ctx, log, file, func(phase archive.Phase, read int64) {
		if bars[phase] == nil {
			for _, b := range bars {
				b.end()
			}
			clear(bars)
			bars[phase] = a.newBar(string(phase), "")
		}
		bars[phase].set(read, info.Size())
	})
	for _, b := range bars {
		b.end()
	}
	for _, s := range done {
		fmt.Fprintln(a.stdout, a.imported(c, s))
	}
	if err != nil {
		return advise(name, done, err)
	}
	if len(done) == 0 {
		fmt.Fprintln(a.stdout, "nothing to import: the archive holds no events")
	}
	return nil
}

// imported is what became of a source, on one line.
func (a *app) imported(c config, s archive.Imported) string {
	line := fmt.Sprintf("%s: positions %d to %d, %s written", s.Source, s.First, s.Last, counted(s.Written, "event"))
	if held := s.Count() - s.Written; held > 0 {
		line += fmt.Sprintf("; %s there already", were(held))
	}
	if _, err := c.source(s.Source); err != nil {
		line += "; not configured: nothing is folded until it is"
	}
	return line
}

func were(n int64) string {
	if n == 1 {
		return "1 was"
	}
	return fmt.Sprintf("%d were", n)
}

// advise says what to do about an import that ended early.
func advise(name string, done []archive.Imported, err error) error {
	var written int64
	for _, s := range done {
		written += s.Written
	}
	rest := "nothing was written"
	if written > 0 {
		rest = fmt.Sprintf("what was written before, %s, stays", counted(written, "event"))
	}
	var diverged *eventstore.DivergedError
	if errors.As(err, &diverged) {
		return fmt.Errorf("import %s: %w, so the file is no continuation of it: import into a database without this source; %s", name, err, rest)
	}
	if written > 0 {
		rest += ", and importing the same file again goes on"
	}
	return fmt.Errorf("import %s: %w; %s", name, err, rest)
}
