package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// RebuildResult is all that a bench of rebuilds found.
type RebuildResult struct {
	Levels  []RebuildLevel
	Readers *Readers // nil: not measured
}

// phases are those of a rebuild, in their order.
var phases = []string{"clearing", "filling", "following", "comparing", "switching"}

// rebuildFigures are a line of the table, medians of the rounds, but for the memory: that is the most.
type rebuildFigures struct {
	Events           int64              `json:"events"`
	Sources          int                `json:"sources"`
	PerSecond        float64            `json:"events_per_second"`
	Seconds          float64            `json:"seconds"`
	YardstickSeconds float64            `json:"yardstick_seconds"`
	Ratio            float64            `json:"ratio"` // of the times: how much longer than SQL
	Memory           int64              `json:"peak_bytes,omitempty"`
	Phases           map[string]float64 `json:"phase_seconds"`
	CPU              float64            `json:"cpu_seconds"`
	Postgres         float64            `json:"postgres_cpu_seconds,omitempty"`
}

func (l RebuildLevel) figures() rebuildFigures {
	seconds := func(figure func(Rebuild) time.Duration) float64 {
		values := make([]float64, len(l.Rebuilds))
		for i, r := range l.Rebuilds {
			values[i] = figure(r).Seconds()
		}
		return Median(values)
	}
	f := rebuildFigures{
		Events: l.Events, Sources: l.Sources, Phases: map[string]float64{},
		Seconds:          seconds(func(r Rebuild) time.Duration { return r.Took }),
		YardstickSeconds: Median(l.Yardstick).Seconds(),
		CPU:              seconds(func(r Rebuild) time.Duration { return r.CPU }),
		Postgres:         seconds(func(r Rebuild) time.Duration { return r.Postgres }),
	}
	var ratios []float64
	for i, r := range l.Rebuilds {
		f.Memory = max(f.Memory, r.Memory)
		ratios = append(ratios, over(r.Took.Seconds(), l.Yardstick[i].Seconds()))
	}
	f.Ratio, f.PerSecond = Median(ratios), over(float64(l.Events), f.Seconds)
	for _, phase := range phases {
		f.Phases[phase] = seconds(func(r Rebuild) time.Duration { return r.Phases[phase] })
	}
	return f
}

// WriteTable writes the figures for a person.
func (r RebuildResult) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "EVENTS\tSOURCES\tEVENTS/S\tREBUILD S\tSQL S\tRATIO\tPEAK MIB\tCLEAR S\tFILL S\tFOLLOW S\tCOMPARE S\tSWITCH S\tCPU S\tPOSTGRES CPU S\t")
	for _, l := range r.Levels {
		f := l.figures()
		fmt.Fprintf(t, "%d\t%d\t%.0f\t%.1f\t%.1f\t%.2f\t%s\t", f.Events, f.Sources, f.PerSecond, f.Seconds, f.YardstickSeconds, f.Ratio,
			orNone("%.0f", float64(f.Memory)/(1<<20)))
		for _, phase := range phases {
			fmt.Fprintf(t, "%.2f\t", f.Phases[phase])
		}
		fmt.Fprintf(t, "%.1f\t%s\t\n", f.CPU, orNone("%.1f", f.Postgres))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	if r.Readers == nil {
		return nil
	}
	return r.Readers.write(w)
}

// WriteJSON writes the figures for a program.
func (r RebuildResult) WriteJSON(w io.Writer) error {
	result := struct {
		Rebuild []rebuildFigures `json:"rebuild"`
		Readers *readersFigures  `json:"readers,omitempty"`
	}{Rebuild: []rebuildFigures{}}
	for _, l := range r.Levels {
		result.Rebuild = append(result.Rebuild, l.figures())
	}
	if r.Readers != nil {
		f := r.Readers.figures()
		result.Readers = &f
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(result)
}
