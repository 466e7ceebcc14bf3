package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"queuetrack/api/render"
	"queuetrack/cmd/queuetrack/bench"
	"queuetrack/projection"
)

// estimatesBenchOptions are the flags of bench estimates.
type estimatesBenchOptions struct {
	file string
	zone string
	json bool
}

func newBenchEstimates(a *app) *cobra.Command {
	var o estimatesBenchOptions
	cmd := &cobra.Command{
		Use:   "estimates FILE",
		Short: "How good the estimates are on real tickets, replayed as webhooks",
		Long: `Replays recorded tickets as signed webhooks, in the order in which they happened, to a server in another process on a
database of its own (made on the server of --database-url and dropped at the end, or on a private Postgres in a temporary
folder), and asks it what its estimates were worth: for all arrivals, and for those of the second half of the days, before
which each queue had a past to learn from.

FILE is a CSV, which may be gzipped, with the columns office, queue_id, issued_at and called_at: one source an office, local
times without a zone.`,
		Example: `  queuetrack bench estimates warsaw_tickets.csv.gz`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			o.file = files[0]
			return a.benchEstimates(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.zone, "tz", "Europe/Warsaw", "the IANA `ZONE` of the file's times")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the two reports as JSON")
	return cmd
}

// judgedEstimates are what bench estimates has to tell.
type judgedEstimates struct {
	Tickets    int              `json:"tickets"`
	Webhooks   int64            `json:"webhooks"`
	Seconds    float64          `json:"seconds"`
	All        render.Estimates `json:"all"`
	SecondHalf render.Estimates `json:"second_half"`
}

func (a *app) benchEstimates(ctx context.Context, o estimatesBenchOptions) error {
	zone, err := time.LoadLocation(o.zone)
	if err != nil {
		return usageError{fmt.Errorf("--tz %s: give a zone of the IANA database", o.zone)}
	}
	tickets, err := bench.ReadRecorded(o.file, zone)
	if err != nil {
		return err
	}
	return a.withBench(ctx, 0, func(b benchPlace) error {
		return b.migrated(ctx, func(url string) error {
			judged, err := a.judgeEstimates(ctx, b, url, tickets, zone)
			if err != nil {
				return err
			}
			return judged.write(a, o.json)
		})
	})
}

func (j judgedEstimates) write(a *app, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(a.stdout).Encode(j)
	}
	fmt.Fprintf(a.stdout, "%d tickets, %d webhooks in %.1f s\n\nAll days: ", j.Tickets, j.Webhooks, j.Seconds)
	if err := j.All.WriteTable(a.stdout); err != nil {
		return err
	}
	fmt.Fprint(a.stdout, "\nThe second half of the days: ")
	return j.SecondHalf.WriteTable(a.stdout)
}

// judgeEstimates replays the tickets to a server of its own, and asks it.
func (a *app) judgeEstimates(ctx context.Context, b benchPlace, database string, tickets *bench.Recorded, zone *time.Location) (j judgedEstimates, err error) {
	pool, err := openPool(ctx, database, readConnections)
	if err != nil {
		return j, err
	}
	defer pool.Close()
	server, err := a.startServer(ctx, database, b.folder, zone, tickets.Sources()...)
	if err != nil {
		return j, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	var sent atomic.Int64
	began := time.Now()
	err = tickets.Replay(ctx, server.host, server.sign, func() {
		if n := sent.Add(1); n%2000 == 0 {
			fmt.Fprintf(a.stderr, "\rreplayed %d of %d ", n, 2*tickets.Tickets())
		}
	})
	fmt.Fprintln(a.stderr)
	if err == nil {
		err = caughtUp(ctx, projection.NewReader(pool))
	}
	if err != nil {
		return j, err
	}
	j.Tickets, j.Webhooks, j.Seconds = tickets.Tickets(), sent.Load(), time.Since(began).Seconds()
	first, half, end := tickets.Days(zone)
	if j.All, err = server.backtest(ctx, zone, first, end); err != nil {
		return j, err
	}
	j.SecondHalf, err = server.backtest(ctx, zone, half, end)
	return j, err
}

// backtest asks over REST, as any user of it.
func (s *benchServer) backtest(ctx context.Context, zone *time.Location, from, to time.Time) (e render.Estimates, err error) {
	query := url.Values{"tz": {zone.String()}, "from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.host+"/v1/reports/estimates/backtest?"+query.Encode(), nil)
	if err != nil {
		return e, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return e, fmt.Errorf("ask what the estimates were worth: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return e, fmt.Errorf("ask what the estimates were worth: %s", resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil {
		return e, fmt.Errorf("read what the estimates were worth: %w", err)
	}
	e.From, e.To = e.From.In(zone), e.To.In(zone)
	return e, nil
}
