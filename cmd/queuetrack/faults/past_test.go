//go:build linux

package faults

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"queuetrack/eventstore"
	"queuetrack/eventstore/archive"
	"queuetrack/migrations/localpg"
)

const (
	// pastEvents is how long the log of each source with a past is before the test begins.
	pastEvents = 30_000
	// pastFrom is the first ticket of the past: no sender has it, or one after it.
	pastFrom = 50 * ticketsEach
	// atOnce of them are there at the same time.
	atOnce = 50
	// pastTimeout bounds making it.
	pastTimeout = 2 * time.Minute
)

// past is what had been told, and folded, before a test begins.
type past struct {
	data string     // the data folder of a cluster
	told []delivery // by source, in the log's order
}

// makePast is done once, by the first test that needs it.
func makePast() (past, error) {
	p := past{data: filepath.Join(shop.dir, "past")}
	for _, source := range []string{city, crm} {
		p.told = append(p.told, oldLog(source, time.Now())...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), pastTimeout)
	defer cancel()
	if err := p.write(ctx); err != nil {
		return past{}, fmt.Errorf("make a log that was there before: %w", err)
	}
	return p, nil
}

// oldLog is of tickets that come in groups: each event of the whole group before the next of anyone.
func oldLog(source string, now time.Time) []delivery {
	told := make([]delivery, 0, pastEvents+3*atOnce)
	for first := pastFrom; len(told) < pastEvents; first += atOnce {
		var lives [][]delivery
		for ticket := first; ticket < first+atOnce; ticket++ {
			lives = append(lives, life(source, ticket, now))
		}
		for step := range 3 {
			for _, l := range lives {
				if step < len(l) {
					told = append(told, l[step])
				}
			}
		}
	}
	return told[:pastEvents]
}

// write puts the past into a cluster, by the commands that are there for it.
func (p past) write(ctx context.Context) error {
	if err := clone(ctx, shop.template, p.data); err != nil {
		return err
	}
	server, err := localpg.Start(ctx, localpg.Config{DataDir: p.data, NoSync: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(p.enter(ctx, server.URL()), server.Stop(context.WithoutCancel(ctx)))
}

func (p past) enter(ctx context.Context, url string) error {
	config, file := filepath.Join(p.data, "queuetrack.yaml"), filepath.Join(p.data, "log.ndjson")
	err := os.WriteFile(config, []byte(configuration([]string{city, crm})), 0o600)
	if err == nil {
		err = p.archive(file)
	}
	for _, args := range [][]string{{"import", file}, {"rebuild"}} {
		if err != nil {
			break
		}
		args = append(args, "--config", config, "--database-url", url)
		if out, failed := exec.CommandContext(ctx, shop.binary, args...).CombinedOutput(); failed != nil {
			err = fmt.Errorf("queuetrack %s: %w\n%s", args[0], failed, out)
		}
	}
	return err
}

// archive writes what `queuetrack import` reads.
func (p past) archive(name string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return p.archiveTo(file)
}

func (p past) archiveTo(file io.Writer) error {
	identify, err := openSources([]string{city, crm})
	if err != nil {
		return err
	}
	w, at := archive.NewWriter(file, nil), map[string]int64{}
	received := time.Now().UTC().Truncate(time.Microsecond)
	for _, d := range p.told {
		at[d.source]++
		id := identify[d.source].Identify(d.body)
		err := w.Write(&eventstore.Event{
			Source: d.source, Position: at[d.source], Ticket: id.Ticket, Type: id.Type, EventKey: id.EventKey,
			OccurredAt: id.OccurredAt.UTC().Truncate(time.Microsecond), ReceivedAt: received,
			Body: d.body, Digest: sha256.Sum256(d.body), DeliveryID: uuid.New(), VerifiedBy: "literal-1",
		})
		if err != nil {
			return err
		}
	}
	_, err = w.Close()
	return err
}

// worldWithPast is one whose logs were long before it began, with a queuetrack on it.
func worldWithPast(t *testing.T) *world {
	t.Helper()
	w := bareWorld(t)
	p, err := shop.past()
	if err != nil {
		t.Fatal(err)
	}
	w.template, w.past = p.data, p.told
	w.startCluster(filepath.Join(w.dir, "data"), nil, nil)
	w.serve("--database-url", w.url)
	return w
}

// remember enters the past in the books, as if this load had told it.
func (l *load) remember(told []delivery) {
	at := map[string]int64{}
	for _, d := range told {
		at[d.source]++
		l.answers[sha256.Sum256(d.body)] = answer{d.source, at[d.source]}
		l.statuses[d.source][d.ticket] = d.status
	}
}
