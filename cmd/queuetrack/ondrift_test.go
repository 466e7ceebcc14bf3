package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection"
)

// scripted is an onDrift whose rebuilds end as told, one after the other; with the last one the drift is gone.
type scripted struct {
	ends   []error
	served bool
	did    []string
	log    output
}

func (s *scripted) onDrift(t *testing.T) *onDrift {
	return &onDrift{
		logger: slog.New(slog.NewTextHandler(&s.log, nil)),
		drift: func(context.Context) (projection.Drift, error) {
			if len(s.ends) == 0 {
				return projection.Drift{}, nil
			}
			return projection.Drift{Generation: 3, Code: true, Served: s.served}, nil
		},
		rebuild: func(_ context.Context, report func(projection.Rebuilding)) (projection.Rebuilt, error) {
			report(projection.Rebuilding{Phase: projection.PhaseFilling})
			report(projection.Rebuilding{Phase: projection.PhaseFilling})
			report(projection.Rebuilding{Phase: projection.PhaseSwitching})
			s.did = append(s.did, "rebuild")
			err := s.ends[0]
			s.ends = s.ends[1:]
			return projection.Rebuilt{Generation: 4}, err
		},
		discard: func(context.Context) error {
			s.did = append(s.did, "discard")
			return nil
		},
		pause: func(_ context.Context, d time.Duration) {
			if d > 0 {
				s.did = append(s.did, d.String())
			}
		},
	}
}

func TestRebuildOnDrift(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		ends   []error
		served bool
		did    string
		logged string
	}{
		{"nothing differs", nil, false, "", ""},
		{"at once", []error{nil}, false, "rebuild", "the read models were rebuilt"},
		{"after another process", []error{projection.ErrRebuilding, nil}, false, "rebuild 10s rebuild", "waiting for it"},
		{"half built by another version", []error{projection.ErrOtherFingerprint, nil}, false, "rebuild discard rebuild", "dropping"},
		{"failures", []error{broken, broken, broken, nil}, false, "rebuild 10s rebuild 20s rebuild 40s rebuild", "is tried again"},
		{"a source is not configured", []error{projection.ErrUnconfigured, nil}, false, "rebuild", "can't be rebuilt"},
		{"it was replaced", []error{nil}, true, "", "end the processes that have others"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &scripted{ends: c.ends, served: c.served}
			if err := s.onDrift(t).run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.did, strings.Join(s.did, " ")); diff != "" {
				t.Errorf("did (-want +got):\n%s", diff)
			}
			if !strings.Contains(s.log.String(), c.logged) || (c.logged == "" && s.log.String() != "") {
				t.Errorf("the log does not say %q:\n%s", c.logged, s.log.String())
			}
			if n := strings.Count(s.log.String(), "phase=filling"); n > strings.Count(c.did, "rebuild") {
				t.Errorf("a phase was logged %d times", n)
			}
		})
	}
}

// Without the flag it is said once, with what to do, and nothing is done.
func TestDriftIsSaid(t *testing.T) {
	t.Parallel()
	s := &scripted{ends: []error{nil}}
	o := s.onDrift(t)
	o.rebuild = nil
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.log.String(); strings.Count(got, "a rebuild is due") != 1 || !strings.Contains(got, "run 'queuetrack rebuild'") {
		t.Errorf("the log says:\n%s", got)
	}
}

// A server that finds the read models of another version brings its own, while it serves.
func TestServeRebuildsOnDrift(t *testing.T) {
	t.Parallel()
	p := cityParts(t)
	serveUntil(t, p, false, "the first ticket", func(string) bool {
		return count(t, p, `SELECT count(*) FROM history_0`) == 1
	})
	if _, err := p.pools.working.Exec(t.Context(), `UPDATE folded_with SET code = 'older'; UPDATE generation SET fingerprint = 'older'`); err != nil {
		t.Fatal(err)
	}
	serveUntil(t, p, true, "a rebuild", func(base string) bool {
		if got := status(t, base+"/readyz?verbose"); got != http.StatusOK {
			t.Errorf("/readyz while it rebuilds: %d", got)
		}
		return count(t, p, `SELECT count(*) FROM generation WHERE state = 'serving' AND fingerprint = '`+foldFingerprint+`'`) == 1
	})
	if d, err := p.reader.Drift(t.Context()); err != nil || d.Any() {
		t.Errorf("afterwards: drift %+v, %v", d, err)
	}
}

// serveUntil runs a server on the parts, sends it a ticket, and ends it when something holds.
func serveUntil(t *testing.T, p *parts, rebuild bool, what string, holds func(base string) bool) {
	t.Helper()
	fresh, err := newParts(p.config, p.pools)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(fresh, slog.New(slog.DiscardHandler), time.Now)
	s.rebuild = rebuild
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx, l) }()
	base := "http://" + l.Addr().String()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/webhooks/city", strings.NewReader(cityTicket))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = p.sources["city"].Sign([]byte(cityTicket))
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	eventually(t, what, func() bool { return holds(base) })
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func count(t *testing.T, p *parts, query string) (n int) {
	t.Helper()
	if err := p.pools.reading.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
