package main

import (
	"os"
	"runtime/debug"
)

// What the collector may let grow, unless GOGC or GOMEMLIMIT say otherwise. Little lives for long here, so it pays to
// collect seldom: with the default a busy door spends a fifth of its time on it. The limit is a soft one, and above what
// the doors' own bounds add up to.
const (
	collectAt   = 400 // percent of what lives
	memoryLimit = 160 << 20
)

// tuneMemory sets the collector for the whole process.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
