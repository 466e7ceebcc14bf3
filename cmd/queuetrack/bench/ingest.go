package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// Source is the name of the one source that everything is sent to: the hardest case, since its deliveries share a lock.
const Source = "bench"

// Server is what is measured: a running server, and the database that it works on. The yardstick's table is made
// there, so it must be one that nobody else uses.
type Server struct {
	DatabaseURL string
	Host        string                        // host:port
	Path        string                        // of the webhook of Source
	Sign        func(body []byte) http.Header // as the vendor of Source does
	PID         int
	CaughtUp    func(context.Context) error // waits until the projections have folded everything
}

// Plan is what to measure.
type Plan struct {
	Connections []int
	Rounds      int
	Length      time.Duration // of one measurement, the warm-up apart
}

// Level is what was measured at one number of connections, a load a round.
type Level struct {
	Connections int
	Door        []Load
	Yardstick   []Load
	Memory      []int64 // the server's peak in bytes; 0: not known on this system
}

// Ingest is a bench of the door in.
type Ingest struct {
	server   Server
	plan     Plan
	progress func(done, of int)
	visitors int64        // numbers given out
	probed   int64        // and those to probes
	rows     atomic.Int64 // in the yardstick's table
}

// NewIngest returns a bench that calls progress after each measurement.
func NewIngest(s Server, p Plan, progress func(done, of int)) *Ingest {
	return &Ingest{server: s, plan: p, progress: progress, visitors: 10_000_000}
}

// Closed measures door and yardstick in the closed loop, turn about, at each number of connections. Before each turn
// the projections catch up, and the database writes down what it has in memory: no turn pays for another.
func (b *Ingest) Closed(ctx context.Context) ([]Level, error) {
	if err := b.exec(ctx, createYardstick); err != nil {
		return nil, err
	}
	levels := make([]Level, len(b.plan.Connections))
	for round := range b.plan.Rounds {
		for i, connections := range b.plan.Connections {
			l := &levels[i]
			l.Connections = connections
			yardstick, err := b.yardstick(ctx, connections)
			if err != nil {
				return nil, err
			}
			if err := b.settle(ctx); err != nil {
				return nil, err
			}
			door, memory, err := b.door(ctx, connections, nil)
			if err != nil {
				return nil, err
			}
			l.Yardstick, l.Door, l.Memory = append(l.Yardstick, yardstick), append(l.Door, door), append(l.Memory, memory)
			b.progress(round*len(levels)+i+1, b.plan.Rounds*len(levels))
		}
	}
	return levels, nil
}

// Open measures the door with so many deliveries due a second, and how soon they are visible.
func (b *Ingest) Open(ctx context.Context, connections int, perSecond float64) (OpenLoad, error) {
	if err := b.settle(ctx); err != nil {
		return OpenLoad{}, err
	}
	probes := startProbes(ctx, b.server, b.probed)
	b.probed += probesIn(warmUp + b.plan.Length)
	load, memory, err := b.door(ctx, connections, paced(connections, perSecond))
	fresh, failed := probes.end()
	return OpenLoad{Rate: perSecond, Load: load, Memory: memory, Freshness: fresh}, errors.Join(err, failed)
}

// door loads the server.
func (b *Ingest) door(ctx context.Context, connections int, due schedule) (Load, int64, error) {
	senders := make([]sender, connections)
	for i := range senders {
		w, err := openWebhook(ctx, b.server.Host, b.server.Path, b.server.Sign, b.visits(i, connections), warmUp+b.plan.Length)
		if err != nil {
			return Load{}, 0, err
		}
		defer w.close()
		senders[i] = w.send
	}
	resetPeak(b.server.PID)
	load, err := run(ctx, senders, due, b.plan.Length)
	b.visitors += int64(connections) * (load.Done + 1)
	return load, peakMemory(b.server.PID), err
}

// yardstick loads the database alone.
func (b *Ingest) yardstick(ctx context.Context, connections int) (Load, error) {
	if err := b.settle(ctx); err != nil {
		return Load{}, err
	}
	senders := make([]sender, connections)
	for i := range senders {
		ins, err := openInserter(ctx, b.server.DatabaseURL, &b.rows, b.visits(i, connections))
		if err != nil {
			return Load{}, err
		}
		defer ins.close()
		senders[i] = ins.send
	}
	return run(ctx, senders, nil, b.plan.Length)
}

func (b *Ingest) visits(nth, of int) *visits {
	return &visits{next: b.visitors + int64(nth), stride: int64(of), crowd: 5, began: time.Now()}
}

// settle waits until nothing is left to do from the turn before.
func (b *Ingest) settle(ctx context.Context) error {
	if err := b.server.CaughtUp(ctx); err != nil {
		return err
	}
	if err := b.exec(ctx, `CHECKPOINT`); err != nil && !notAllowed(err) {
		return err
	}
	return nil
}

func (b *Ingest) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, b.server.DatabaseURL)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // everything is done
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// notAllowed reports whether the database's user may not do it.
func notAllowed(err error) bool {
	var refused interface{ SQLState() string }
	return errors.As(err, &refused) && refused.SQLState() == "42501"
}
