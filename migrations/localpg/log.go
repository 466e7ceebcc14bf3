//go:build unix

package localpg

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
)

// tailLines is how much of the server's output goes into an error.
const tailLines = 15

// A serverLog passes the server's output on line by line, and keeps the last lines for an error's text.
type serverLog struct {
	logger *slog.Logger
	quiet  atomic.Bool // a shutdown tells every connection that it ends: no news

	mu      sync.Mutex
	partial []byte
	last    []string
}

func newServerLog(logger *slog.Logger) *serverLog { return &serverLog{logger: logger} }

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.add(string(line))
		l.partial = append([]byte(nil), rest...)
	}
}

func (l *serverLog) add(line string) {
	l.last = append(l.last, line)
	if len(l.last) > tailLines {
		l.last = l.last[1:]
	}
	level := slog.LevelDebug
	if !l.quiet.Load() && (strings.Contains(line, "WARNING:") || strings.Contains(line, "PANIC:")) {
		level = slog.LevelWarn
	}
	l.logger.Log(context.Background(), level, "postgres", "line", line)
}

func (l *serverLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(append(l.last, string(l.partial)), "\n")
}
