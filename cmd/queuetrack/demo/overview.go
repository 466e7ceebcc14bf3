package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// QueueCount is what the overview shows of one queue.
type QueueCount struct {
	Source      string `json:"source"`
	Name        string `json:"name"`
	Queue       string `json:"queue"`
	Waiting     int    `json:"waiting"`
	Called      int    `json:"called"`
	Serving     int    `json:"serving"`
	OnHold      int    `json:"on_hold"`
	Booked      int    `json:"booked"`
	LongestWait int64  `json:"longest_wait_seconds"`
	ServedToday int    `json:"served_today"`

	Estimate *Estimate `json:"estimate"` // nil: it can't be told
}

// Estimate is how long somebody who comes now has to wait. Without a range both are nil.
type Estimate struct {
	Low  *int64 `json:"low_seconds"`
	High *int64 `json:"high_seconds"`
}

// Overview draws the live queues, the terminal's answer to a display on the wall.
type Overview struct {
	Out    io.Writer
	Redraw bool // over the last drawing, on a terminal; else a new block each time
	height int
}

// Draw writes the queues as they are.
func (o *Overview) Draw(title string, queues []QueueCount, below []string) error {
	var b strings.Builder
	if o.Redraw && o.height > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", o.height) // up to the last drawing's start, and clear
	}
	start := b.Len()
	fmt.Fprintf(&b, "%s\n\n", title)
	fmt.Fprintf(&b, "%-7s %-18s %8s %7s %8s %8s %13s %13s  %s\n",
		"SOURCE", "QUEUE", "WAITING", "CALLED", "SERVING", "BOOKED", "LONGEST WAIT", "SERVED TODAY", "NEXT ABOUT")
	for _, q := range queues {
		name := q.Name
		if name == "" {
			name = q.Queue
		}
		row := fmt.Sprintf("%-7s %-18.18s %8d %7d %8d %8d %13s %13d  %s",
			q.Source, name, q.Waiting, q.Called, q.Serving, q.Booked, clock(q.LongestWait), q.ServedToday, q.Estimate.about())
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	b.WriteString("\n")
	for _, line := range below {
		b.WriteString(line + "\n")
	}
	o.height = strings.Count(b.String()[start:], "\n")
	_, err := io.WriteString(o.Out, b.String())
	return err
}

// clock is a wait as minutes and seconds.
func clock(seconds int64) string {
	if seconds == 0 {
		return "–"
	}
	d := time.Duration(seconds) * time.Second
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// about is the range as a screen shows it; nothing when it can't be told.
func (e *Estimate) about() string {
	if e == nil || e.Low == nil || e.High == nil {
		return ""
	}
	return inFives(*e.Low, *e.High)
}

// inFives writes a range of waits in steps of five minutes, so that it never promises more than is known: the lower end
// rounded down, the upper end up.
func inFives(lowSeconds, highSeconds int64) string {
	const step = 5 * 60
	low, high := lowSeconds/step*5, (highSeconds+step-1)/step*5
	switch {
	case low == 0 || high <= 5:
		return fmt.Sprintf("under %d min", max(high, 5))
	case low == high: // both ends on the same step
		return fmt.Sprintf("%d min", high)
	}
	return fmt.Sprintf("%d–%d min", low, high)
}
