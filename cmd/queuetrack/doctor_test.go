package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/cmd/queuetrack/doctor"
	"queuetrack/eventstore/source"
	"queuetrack/migrations/localpg"
)

// lines are findings, one each.
func lines(found []doctor.Finding) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "%s %s: %s\n", f.Verdict, f.Check, f.Found)
	}
	return b.String()
}

// Whoever answers on the address is looked at, and not believed to be queuetrack.
func TestDoctorLooksAtTheServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, ready string
		status      int
		openapi     string
		want        string
	}{
		{"ready, the same version", `{"status":"ready"}`, 200, `{"info":{"version":"` + buildVersion() + `"}}`, "ok ready: ADDRESS is ready\nok version: " + buildVersion() + ", as this binary\n"},
		{"ready, another version", `{"status":"ready"}`, 200, `{"info":{"version":"v9"}}`, "ok ready: ADDRESS is ready\nwarning version: the server is v9, this binary " + buildVersion() + "\n"},
		{"ready, and says no more", `{"status":"ready"}`, 200, ``, "ok ready: ADDRESS is ready\n"},
		{"not ready", `{"status":"unavailable","checks":{"database":"failed","shutdown":"ok","schema":"not checked"}}`, 503, ``, "problem ready: ADDRESS is not ready: database failed, schema not checked\n"},
		{"something else", `<html>`, 200, ``, "warning ready: ADDRESS answers, and is no queuetrack: its answer is not JSON\n"},
		{"something else in JSON", `{}`, 200, ``, "warning ready: ADDRESS answers, and is no queuetrack\n"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/openapi.json" {
				fmt.Fprint(w, c.openapi)
				return
			}
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.ready)
		}))
		address := strings.TrimPrefix(s.URL, "http://")
		x := &examination{config: config{Listen: setting{Value: address}}}
		found, err := x.running(t.Context())
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, strings.ReplaceAll(lines(found), address, "ADDRESS")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// What stands in the way of a private Postgres, with the way out.
func TestDoctorLooksAtThePrivatePostgres(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		state localpg.State
		there bool
		want  []string // of verdict and advice
	}{
		{"no binaries", localpg.State{Refuses: localpg.ErrNoBinaries}, false, []string{"problem install one (apt-get install postgresql); or 'docker compose up'; or set DATABASE_URL="}},
		{"another version", localpg.State{Major: "14", Refuses: localpg.ErrVersion}, false, []string{"problem to move it to another major version, see README: Upgrades"}},
		{"another user's", localpg.State{Major: "15", Refuses: fmt.Errorf("%w: it belongs to user 1", localpg.ErrDataDir)}, false, []string{"problem mend that; or run this as root"}},
		{"none yet", localpg.State{}, false, []string{"note serve makes it"}},
		{"fine", localpg.State{Major: "15", Free: 2 << 30}, true, []string{"ok ", "ok ", "ok "}},
		{"little room", localpg.State{Major: "15", Free: diskShort - 1}, true, []string{"ok ", "ok ", "warning make room"}},
		{"hardly any room", localpg.State{Major: "15", Free: diskFull - 1}, true, []string{"ok ", "ok ", "problem make room"}},
		{"room not known", localpg.State{Major: "15", Free: -1}, true, []string{"ok ", "ok "}},
	} {
		found, there := (&examination{}).private(c.state)
		if there != c.there || len(found) != len(c.want) {
			t.Errorf("%s: there %v, %+v", c.name, there, found)
			continue
		}
		for i, want := range c.want {
			if got := string(found[i].Verdict) + " " + found[i].Do; !strings.HasPrefix(got, want) {
				t.Errorf("%s: %q, want %q", c.name, got, want)
			}
		}
	}
}

// What every user may change, or replace, is not the operator's any more.
func TestDoctorLooksAtPermissions(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "q.yaml")
	for _, c := range []struct {
		folder, file os.FileMode
		secret       bool
		want         string
	}{
		{0o755, 0o644, false, ""},
		{0o755, 0o640, true, ""},
		{0o755, 0o644, true, "can read the secret"},
		{0o755, 0o646, false, "can change it"},
		{0o777, 0o600, true, "can replace it"},
		{0o777 | os.ModeSticky, 0o600, true, ""},
	} {
		if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chmod(file, c.file), os.Chmod(folder, c.folder)); err != nil {
			t.Fatal(err)
		}
		found := permissionsOf("the file", file, c.secret)
		if got := lines(found); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// A secret in the file, or a password in its database's URL, makes the file a secret.
func TestDoctorKnowsWhereSecretsAre(t *testing.T) {
	t.Parallel()
	named := config{File: "q.yaml", Sources: []sourceConfig{{Config: source.Config{Secrets: []source.Secret{{Name: "env:A"}, {Name: "file:b"}}}}}}
	literal := named
	literal.Sources = append(literal.Sources, sourceConfig{Config: source.Config{Secrets: []source.Secret{{Name: "literal-1"}}}})
	inURL, elsewhere := named, named
	inURL.DatabaseURL = setting{"postgres://a:b@c/d", "q.yaml:1:2"}
	elsewhere.DatabaseURL = setting{"postgres://a:b@c/d", "environment DATABASE_URL"}
	for _, c := range []struct {
		config config
		want   bool
	}{{named, false}, {literal, true}, {inURL, true}, {elsewhere, false}} {
		if got := (&examination{config: c.config}).holdsSecrets(); got != c.want {
			t.Errorf("%+v: %v", c.config, got)
		}
	}
}

// Every vendor's signatures verify, each secret's, and the advice names what has to be set there.
func TestDoctorSignsAsEachVendor(t *testing.T) {
	t.Parallel()
	for k := range vendors() {
		s := sourceConfig{Kind: k, Config: source.Config{
			Name: "here", PublicURL: "https://hooks.example.com/webhooks/here", Header: "Authorization",
			Secrets: []source.Secret{{Name: "file:new", Value: []byte("a-secret-that-is-new")}, {Name: "file:old", Value: []byte("a-secret-that-is-old")}},
		}}
		f := s.selfCheck()
		if f.Verdict != doctor.OK || !strings.Contains(f.Do, "/webhooks/here") || !strings.Contains(f.Do, "file:new") || strings.Contains(f.Do+f.Found, "a-secret") {
			t.Errorf("%s: %+v", k, f)
		}
		if s.signatureHeader() == "" || k.unsigned() == "" {
			t.Errorf("%s: no header, or nothing to do when it is missing", k)
		}
		s.Secrets[1].Value = []byte("short")
		if f := s.selfCheck(); f.Verdict != doctor.Problem {
			t.Errorf("%s with a secret that it refuses: %+v", k, f)
		}
	}
}

// A database that takes connections and says nothing holds doctor up for as long as one check may take.
func TestDoctorDoesNotWaitForADeafDatabase(t *testing.T) {
	t.Parallel()
	deaf, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close() //nolint:errcheck // the test is over
	var out strings.Builder
	began := time.Now()
	url := fmt.Sprintf("postgres://someone:hunter2secret@%s/none?sslmode=disable", deaf.Addr())
	code := run(t.Context(), []string{"doctor", "--database-url", url, "--listen", freeAddress(t)}, nil, nil, &out, t.Output())
	if code != exitNo || !strings.Contains(out.String(), "problem  connection") || strings.Contains(out.String(), "hunter2") {
		t.Errorf("code %d:\n%s", code, out.String())
	}
	if took := time.Since(began); took > 3*checkTimeout {
		t.Errorf("it took %v", took)
	}
}
