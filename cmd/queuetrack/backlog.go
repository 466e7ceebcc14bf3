package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"queuetrack/api/query"
	"queuetrack/api/render"
)

// backlog is a list of events that wait for an operator: what is quarantined, the dead letters. REST answers each T as an
// Item.
type backlog[T, Item any] struct {
	page   func(ctx context.Context, p *parts, source string, after T) ([]T, error) // at most backlogPage
	source func(T) string
	item   func(T) Item
	head   string // of the table, its columns separated by tabs
	row    func(T) string
	empty  string // said where there are none
}

// backlogPage is how many are in memory at a time.
const backlogPage = 500

// walk goes over those of one source, or of all for "". Of a source that is no longer configured nothing is told, as over
// REST.
func (b backlog[T, Item]) walk(ctx context.Context, p *parts, source string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var last T
		for {
			page, err := b.page(ctx, p, source, last)
			if err != nil {
				yield(last, err)
				return
			}
			for _, last = range page {
				if _, configured := p.sources[b.source(last)]; configured && !yield(last, nil) {
					return
				}
			}
			if len(page) < backlogPage {
				return
			}
		}
	}
}

// listCommand completes a command that lists them.
func (b backlog[T, Item]) listCommand(a *app, cmd *cobra.Command) *cobra.Command {
	var source, format string
	cmd.Use, cmd.Args = "list", args(cobra.NoArgs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !slices.Contains([]render.Format{render.FormatTable, render.FormatJSON}, render.Format(format)) {
			return usageError{fmt.Errorf("--format %q: table or json", format)}
		}
		return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
			return b.list(ctx, p, a.stdout, source, render.Format(format))
		})
	}
	cmd.Flags().StringVar(&source, "source", "", "only the source of this `NAME`")
	cmd.Flags().StringVar(&format, "format", string(render.FormatTable), "`FORMAT`: table or json")
	return cmd
}

func (b backlog[T, Item]) list(ctx context.Context, p *parts, w io.Writer, source string, format render.Format) error {
	if source != "" {
		if _, err := p.config.source(source); err != nil {
			return err
		}
	}
	var list []T
	for one, err := range b.walk(ctx, p, source) {
		if err != nil {
			return err
		}
		list = append(list, one)
	}
	switch {
	case format == render.FormatJSON:
		return b.writeJSON(w, list)
	case len(list) == 0:
		fmt.Fprintln(w, b.empty)
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, b.head)
	for _, one := range list {
		fmt.Fprintln(table, b.row(one))
	}
	return table.Flush()
}

func (b backlog[T, Item]) writeJSON(w io.Writer, list []T) error {
	answer := query.List[Item]{Items: []Item{}}
	for _, one := range list {
		answer.Items = append(answer.Items, b.item(one))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(answer)
}

// atPosition runs do on the event that a command's SOURCE and POSITION name.
func (a *app) atPosition(do func(ctx context.Context, p *parts, source string, position int64) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		position, err := parsePosition(args[1])
		if err != nil {
			return err
		}
		return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
			if _, err := p.config.source(args[0]); err != nil {
				return err
			}
			return do(ctx, p, args[0], position)
		})
	}
}

// retryCommand completes a command that tries one again, or with --all (which tries what everything says) each of a source.
func (a *app) retryCommand(
	cmd *cobra.Command, everything string,
	one func(ctx context.Context, p *parts, source string, position int64) error,
	each func(ctx context.Context, p *parts, source string) error,
) *cobra.Command {
	var all bool
	cmd.Use, cmd.Args = "retry SOURCE POSITION", args(cobra.RangeArgs(1, 2))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if all == (len(args) == 2) {
			return usageError{errors.New("give a position, or --all")}
		}
		if !all {
			return a.atPosition(one)(cmd, args)
		}
		return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
			if _, err := p.config.source(args[0]); err != nil {
				return err
			}
			return each(ctx, p, args[0])
		})
	}
	cmd.Flags().BoolVar(&all, "all", false, everything)
	return cmd
}

// showFields prints what is known of one event, a field a line.
func showFields(w io.Writer, fields [][2]string) {
	for _, field := range fields {
		fmt.Fprintf(w, "%-12s %s\n", field[0], field[1])
	}
}

// showBody prints a body below its event's fields.
func showBody(w io.Writer, raw []byte) {
	body, encoding := legible(raw)
	fmt.Fprintf(w, "\nbody, %s%s:\n%s\n", counted(len(raw), "byte"), encoding, body)
}

func parsePosition(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, usageError{fmt.Errorf("position %q: a whole number from 1", text)}
	}
	return n, nil
}

func positionOr(n int64, none string) string {
	if n == 0 {
		return none
	}
	return strconv.FormatInt(n, 10)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
