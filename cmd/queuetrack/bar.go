package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows on a terminal how far a command is, with rate and time to go. Anywhere else it shows nothing.
type bar struct {
	app   *app
	what  string
	unit  string // empty: bytes
	shown *progressbar.ProgressBar
}

func (a *app) newBar(what, unit string) *bar { return &bar{app: a, what: what, unit: unit} }

// set says how much is done. What there is in all is known from the first time on.
func (b *bar) set(done, total int64) {
	if !isTerminal(b.app.stderr) {
		return
	}
	if b.shown == nil {
		b.shown = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.app.stderr),
			progressbar.OptionSetDescription(b.what),
			progressbar.OptionShowCount(),
			b.rate(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionFullWidth(),
		)
	}
	_ = b.shown.Set64(done) // a terminal that is gone is no reason to stop
}

// describe says what is being done now.
func (b *bar) describe(what string) {
	if b.what = what; b.shown != nil {
		b.shown.Describe(what)
	}
}

func (b *bar) rate() progressbar.Option {
	if b.unit == "" {
		return progressbar.OptionShowBytes(true)
	}
	return func(p *progressbar.ProgressBar) {
		progressbar.OptionShowIts()(p)
		progressbar.OptionSetItsString(b.unit)(p)
	}
}

// end leaves the line to what is said next.
func (b *bar) end() {
	if b.shown != nil {
		_ = b.shown.Exit()
		fmt.Fprintln(b.app.stderr)
	}
}
