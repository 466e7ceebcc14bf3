package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Result is all that a bench of the door found.
type Result struct {
	Levels []Level
	Open   []OpenLoad
	Append Append
}

// OpenLoad is an open loop, and the rate that it was driven at.
type OpenLoad struct {
	Rate float64 // deliveries due a second
	Load
	Memory    int64 // the server's peak in bytes; 0: not known on this system
	Freshness Freshness
}

// Median is the middle of the values, for an even number the lower one.
func Median[T cmp.Ordered](values []T) (middle T) {
	if len(values) == 0 {
		return middle
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// Ratio is the door's throughput over the yardstick's, the median of the rounds' ratios.
func (l Level) Ratio() float64 {
	ratios := make([]float64, len(l.Door))
	for i := range ratios {
		ratios[i] = over(l.Door[i].PerSecond(), l.Yardstick[i].PerSecond())
	}
	return Median(ratios)
}

// Median is the door's throughput, the median of the rounds.
func (l Level) Median() float64 { return median(l.Door, Load.PerSecond) }

// Ratio is the log's throughput over the bare INSERT's, the median of the turns' ratios.
func (a Append) Ratio() float64 {
	ratios := make([]float64, len(a.Log))
	for i := range ratios {
		ratios[i] = over(a.Log[i], a.Bare[i])
	}
	return Median(ratios)
}

// over is a ratio, and 0 where there is none: nothing was done in the time.
func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// median returns the median of one of the loads' figures.
func median[T cmp.Ordered](loads []Load, figure func(Load) T) T {
	values := make([]T, len(loads))
	for i, l := range loads {
		values[i] = figure(l)
	}
	return Median(values)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// figures are a line of the table, medians of the rounds.
type figures struct {
	Loop               string  `json:"loop"`
	Connections        int     `json:"connections"`
	Rate               float64 `json:"rate_per_second,omitempty"`
	PerSecond          float64 `json:"webhooks_per_second"`
	P50                float64 `json:"p50_milliseconds"`
	P99                float64 `json:"p99_milliseconds"`
	P999               float64 `json:"p99_9_milliseconds"`
	YardstickPerSecond float64 `json:"yardstick_per_second,omitempty"`
	Ratio              float64 `json:"ratio,omitempty"`
	Memory             int64   `json:"server_peak_bytes,omitempty"`
	VisibleP50         float64 `json:"visible_p50_milliseconds,omitempty"` // from the answer on
	VisibleP99         float64 `json:"visible_p99_milliseconds,omitempty"`
	Asked              float64 `json:"visible_asked_per_second,omitempty"`
}

func (l Level) figures() figures {
	return figures{
		Loop: "closed", Connections: l.Connections,
		PerSecond:          l.Median(),
		P50:                median(l.Door, func(l Load) float64 { return milliseconds(l.Latencies.P50) }),
		P99:                median(l.Door, func(l Load) float64 { return milliseconds(l.Latencies.P99) }),
		P999:               median(l.Door, func(l Load) float64 { return milliseconds(l.Latencies.P999) }),
		YardstickPerSecond: median(l.Yardstick, Load.PerSecond),
		Ratio:              l.Ratio(), Memory: slices.Max(l.Memory),
	}
}

func (o OpenLoad) figures() figures {
	return figures{
		Loop: "open", Connections: o.Connections, Rate: o.Rate, PerSecond: o.PerSecond(),
		P50: milliseconds(o.Latencies.P50), P99: milliseconds(o.Latencies.P99), P999: milliseconds(o.Latencies.P999),
		Memory:     o.Memory,
		VisibleP50: milliseconds(o.Freshness.Visible.P50), VisibleP99: milliseconds(o.Freshness.Visible.P99),
		Asked: over(float64(o.Freshness.Asked), (warmUp + o.Took).Seconds()),
	}
}

func (r Result) figures() []figures {
	var all []figures
	for _, l := range r.Levels {
		all = append(all, l.figures())
	}
	for _, o := range r.Open {
		all = append(all, o.figures())
	}
	return all
}

// WriteTable writes the medians for a person.
func (r Result) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "LOOP\tCONNECTIONS\tDUE/S\tWEBHOOKS/S\tP50 MS\tP99 MS\tP99.9 MS\tINSERTS/S\tRATIO\tPEAK MIB\tVISIBLE P50 MS\tP99 MS\tASKED/S\t")
	for _, f := range r.figures() {
		fmt.Fprintf(t, "%s\t%d\t%s\t%.0f\t%.1f\t%.1f\t%.1f\t%s\t%s\t%s\t%s\t%s\t%s\t\n", f.Loop, f.Connections, orNone("%.0f", f.Rate),
			f.PerSecond, f.P50, f.P99, f.P999, orNone("%.0f", f.YardstickPerSecond), orNone("%.2f", f.Ratio), orNone("%.0f", float64(f.Memory)/(1<<20)),
			orNone("%.1f", f.VisibleP50), orNone("%.1f", f.VisibleP99), orNone("%.0f", f.Asked))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	if len(r.Append.Log) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "append alone, batches of %d: %.0f events/s; a bare INSERT of the same rows: %.0f/s; ratio %.2f (median of %d)\n",
		batchSize, Median(r.Append.Log), Median(r.Append.Bare), r.Append.Ratio(), len(r.Append.Log))
	return err
}

func orNone(format string, value float64) string {
	if value == 0 {
		return "-"
	}
	return fmt.Sprintf(format, value)
}

// WriteJSON writes the medians for a program.
func (r Result) WriteJSON(w io.Writer) error {
	type alone struct {
		PerSecond float64 `json:"events_per_second"`
		Bare      float64 `json:"bare_insert_per_second"`
		Ratio     float64 `json:"ratio"`
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Ingest []figures `json:"ingest"`
		Append alone     `json:"append"`
	}{r.figures(), alone{Median(r.Append.Log), Median(r.Append.Bare), r.Append.Ratio()}})
}
