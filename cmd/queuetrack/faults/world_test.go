//go:build linux

package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/eventstore/source/superoffice"
)

// The sources of every world. More of a kind are called by its name and something more.
const (
	city = "city" // Qminder: no event ids
	crm  = "crm"  // SuperOffice: with them
)

const (
	publicURL = "https://hooks.example.com/webhooks/"
	secret    = "only-for-these-tests"
	// backWithin is when the service has come back by itself after any fault is over, on a busy machine too.
	backWithin = time.Minute
)

// world is a running queuetrack on a Postgres of its own, and what is needed to break and to check it.
type world struct {
	t       *testing.T
	dir     string
	journal *journal
	cluster *cluster // nil: queuetrack has a private one
	url     string   // of the database, for looking at it past queuetrack
	service *unit
	base    string // the service's URL
	args    []string
	sources []string
	signers map[string]source.Source

	template string     // the data folder that its cluster's is a copy of
	past     []delivery // what the logs hold already, by source and in their order
}

// newWorld starts a Postgres and a queuetrack on it, and returns when it is ready.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := bareWorld(t)
	w.startCluster(filepath.Join(w.dir, "data"), nil, nil)
	w.serve("--database-url", w.url)
	return w
}

// bareWorld is one where nothing runs yet. Its address is one of the loopback network's 16 million, so that neither
// another test nor an outgoing connection ever has the same.
func bareWorld(t *testing.T, more ...string) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("runs processes, and breaks them")
	}
	sources := append([]string{city, crm}, more...)
	dir, err := os.MkdirTemp(shop.dir, "world-")
	if err == nil {
		err = os.Chmod(dir, 0o711) //nolint:gosec // Postgres passes through
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "queuetrack.yaml"), []byte(configuration(sources)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := fmt.Sprintf("127.%d.%d.%d:8080", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
	return &world{
		t: t, dir: dir, journal: newJournal(t), base: "http://" + address, sources: sources, signers: signers(t, sources),
		args:     []string{"--config", filepath.Join(dir, "queuetrack.yaml"), "--listen", address},
		template: shop.template,
	}
}

// configuration is the file for these sources.
func configuration(sources []string) string {
	file := "sources:\n"
	for _, name := range sources {
		if strings.HasPrefix(name, city) {
			file += fmt.Sprintf("  - {name: %s, kind: qminder, public_url: %q, secrets: [%s], timezone: Europe/Tallinn}\n", name, publicURL+name, secret)
		} else {
			file += fmt.Sprintf("  - {name: %s, kind: superoffice, secrets: [%s], timezone: Europe/Oslo}\n", name, secret)
		}
	}
	return file
}

func signers(t *testing.T, sources []string) map[string]source.Source {
	t.Helper()
	all, err := openSources(sources)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// openSources opens them as configuration says.
func openSources(sources []string) (map[string]source.Source, error) {
	secrets := []source.Secret{{Name: "literal-1", Value: []byte(secret)}}
	all := map[string]source.Source{}
	for _, name := range sources {
		var err error
		if strings.HasPrefix(name, city) {
			all[name], err = qminder.New(source.Config{Name: name, PublicURL: publicURL + name, Secrets: secrets})
		} else {
			all[name], err = superoffice.New(source.Config{Name: name, Secrets: secrets})
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// startCluster gives the world a Postgres, whose folder before sees while it is stopped (nil: needn't see it).
func (w *world) startCluster(data string, settings map[string]string, before func()) {
	w.t.Helper()
	if err := clone(w.t.Context(), w.template, data); err != nil {
		w.t.Fatal(err)
	}
	if before != nil {
		before()
	}
	w.cluster = startCluster(w.t, w.journal, data, settings)
	w.url = w.cluster.url
}

// execute runs a statement past queuetrack.
func (w *world) execute(sql string) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), longestAnswer)
	defer cancel()
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // what was done is committed
	_, err = conn.Exec(ctx, sql)
	return err
}

// serve starts queuetrack with the global flags, which every later command gets too, and waits until it is ready.
func (w *world) serve(flags ...string) {
	w.t.Helper()
	w.args = append(w.args, flags...)
	w.service = startUnit(w.t, w.journal, "queuetrack", func() *exec.Cmd { return w.command("serve") })
	w.ready()
}

// command is a queuetrack with the world's settings and none of this process's.
func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.Command(shop.binary, append(args, w.args...)...) //nolint:noctx // who starts it, ends it
	cmd.Dir = w.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "TMPDIR=" + os.TempDir()}
	return cmd
}

// ready waits until /readyz says yes, and returns how long that took.
func (w *world) ready() time.Duration {
	w.t.Helper()
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	return eventually(w.t, "/readyz", backWithin, func() error {
		resp, err := client.Get(w.base + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	})
}
