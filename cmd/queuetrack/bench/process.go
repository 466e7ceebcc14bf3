package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"time"
)

// Command makes the process that is measured, which the bench then starts: a rebuild that says on its standard output,
// a line of JSON each time, what its "phase" is, and at the end how many "differing_tickets" there are.
type Command func(ctx context.Context) (*exec.Cmd, error)

// Rebuild is what one rebuild took.
type Rebuild struct {
	Took     time.Duration            // from the start of its process to the end
	Phases   map[string]time.Duration // what comes before the first is in none
	Memory   int64                    // the process's peak in bytes; 0: not known on this system
	CPU      time.Duration            // of the process
	Postgres time.Duration            // of the database's server meanwhile; 0: not known, it is elsewhere
	Other    int64                    // tickets that it made something else of than the rebuild before
}

// look is how often the process's memory is looked at: a peak is kept by the system, but not beyond the process's end.
const look = 10 * time.Millisecond

// measure runs the process to its end. It tells heard when each phase began.
func (c Command) measure(ctx context.Context, server postgres, heard func(string, time.Time)) (Rebuild, error) {
	cmd, err := c(ctx)
	if err != nil {
		return Rebuild{}, err
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return Rebuild{}, fmt.Errorf("listen to the rebuild: %w", err)
	}
	before, began := server.cpu(), time.Now()
	if err := cmd.Start(); err != nil {
		return Rebuild{}, fmt.Errorf("start the rebuild: %w", err)
	}
	peak := watchMemory(cmd.Process.Pid)
	r := listen(bufio.NewScanner(lines), heard)
	r.Memory = peak()
	if err := cmd.Wait(); err != nil {
		return Rebuild{}, fmt.Errorf("the rebuild ended with %w: %s", err, bytes.TrimSpace(said.Bytes()[max(0, said.Len()-2000):]))
	}
	r.Took, r.Postgres = time.Since(began), server.cpu()-before
	r.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return r, nil
}

// listen hears how long each phase takes and what comes of it, until the process has nothing more to say.
func listen(lines *bufio.Scanner, heard func(string, time.Time)) Rebuild {
	r := Rebuild{Phases: map[string]time.Duration{}}
	var now string
	var since time.Time
	for lines.Scan() {
		var line struct {
			Phase string `json:"phase"`
			Other int64  `json:"differing_tickets"`
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		r.Other += line.Other
		if line.Phase == now {
			continue
		}
		if now != "" {
			r.Phases[now] += time.Since(since)
		}
		now, since = line.Phase, time.Now()
		heard(now, since)
	}
	return r
}

// watchMemory looks at the process's peak until it is asked for it.
func watchMemory(pid int) (peak func() int64) {
	stop, found := make(chan struct{}), make(chan int64)
	go func() {
		ticker := time.NewTicker(look)
		defer ticker.Stop()
		var most int64
		for {
			most = max(most, peakMemory(pid))
			select {
			case <-ticker.C:
			case <-stop:
				found <- most
				return
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-found
	}
}
