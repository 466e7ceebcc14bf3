package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore/source"
	"queuetrack/migrations/dbtest"
)

// The secrets of these tests; the log must show none of them.
const (
	oldSecret   = "s3cr3t-that-is-old"
	newSecret   = "s3cr3t-that-is-new"
	thirdSecret = "s3cr3t-that-is-third"
)

const cityURL = "https://hooks.example.com/webhooks/city"

// reloading is a real serve with one source, whose configuration the test changes.
type reloading struct {
	t    *testing.T
	dir  string
	base string
	log  *output
	ids  atomic.Int64
	ends func() int
}

// cityConfig is the file with these secrets.
func cityConfig(secrets string) string {
	return "log_format: json\nsources:\n  - name: city\n    kind: qminder\n    public_url: " + cityURL + "\n    secrets: [" + secrets + "]\n"
}

func startReloading(t *testing.T, secrets string) *reloading {
	t.Helper()
	r := &reloading{t: t, dir: t.TempDir(), log: &output{}}
	r.replace("new", newSecret)
	r.replace("old", oldSecret)
	r.replace("third", thirdSecret)
	r.replace("queuetrack.yaml", cityConfig(secrets))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	args := []string{"serve", "--config", filepath.Join(r.dir, "queuetrack.yaml"), "--database-url", dbtest.NewURL(t), "--listen", "127.0.0.1:0"}
	go func() { ended <- run(ctx, args, nil, nil, io.Discard, r.log) }()
	r.ends = sync.OnceValue(func() int { stop(); return <-ended })
	t.Cleanup(func() { r.ends() })
	listens := regexp.MustCompile(`"msg":"listening","url":"(http://[^"]+)"`)
	r.until("serve listens", func() bool {
		if m := listens.FindStringSubmatch(r.log.String()); m != nil {
			r.base = m[1]
		}
		return r.base != ""
	})
	return r
}

// until polls a condition.
func (r *reloading) until(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(startTimeout); !holds(); {
		if time.Now().After(deadline) {
			r.t.Fatalf("not so: %s; the log:\n%s", what, r.log)
		}
		<-time.After(time.Millisecond)
	}
}

// replace puts a file in the place of another at once, as whoever rotates secrets should.
func (r *reloading) replace(name, text string) {
	r.t.Helper()
	beside := filepath.Join(r.dir, name+".next")
	if err := os.WriteFile(beside, []byte(text+"\n"), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(beside, filepath.Join(r.dir, name)); err != nil {
		r.t.Fatal(err)
	}
}

// hangUp sends the signal, and calls meanwhile until it has been dealt with.
func (r *reloading) hangUp(meanwhile func()) (log string) {
	r.t.Helper()
	before := len(r.log.String())
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
	r.until("the signal is dealt with", func() bool {
		meanwhile()
		log = r.log.String()[before:]
		return strings.Contains(log, `"configuration read again"`) || strings.Contains(log, "everything stays as it was")
	})
	return log
}

// sender signs with the secret.
func (r *reloading) sender(secret string) *sender {
	r.t.Helper()
	s := sourceConfig{Kind: kindQminder, Config: source.Config{
		Name: "city", PublicURL: cityURL, Secrets: []source.Secret{{Name: "literal-1", Value: []byte(secret)}},
	}}
	opened, err := s.open()
	if err != nil {
		r.t.Fatal(err)
	}
	return &sender{client: http.DefaultClient, source: opened, url: r.base + "/webhooks/city"}
}

// post sends a ticket of its own, and returns the status.
func (r *reloading) post(s *sender) int {
	body := fmt.Sprintf(`{"type":"ticket_created","data":{"id":"%d","status":"NEW","line":1}}`, r.ids.Add(1))
	status, answer, err := s.post(r.t.Context(), []byte(body))
	if err != nil {
		r.t.Errorf("post: %d %s %v", status, answer, err)
	}
	return status
}

// expect posts by each secret and compares the statuses.
func (r *reloading) expect(want map[string]int) {
	r.t.Helper()
	got := map[string]int{}
	for secret := range want {
		got[secret] = r.post(r.sender(secret))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("statuses by secret (-want +got):\n%s", diff)
	}
}

// verifiedBy is what /v1/sources says.
func (r *reloading) verifiedBy() map[string]int64 {
	r.t.Helper()
	resp, err := http.DefaultClient.Get(r.base + "/v1/sources")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Items []struct {
			VerifiedBy map[string]int64 `json:"verified_by"`
		}
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || json.Unmarshal(body, &answer) != nil || len(answer.Items) != 1 {
		r.t.Fatalf("/v1/sources: %s %v", body, err)
	}
	return answer.Items[0].VerifiedBy
}

// One after the other: a signal reaches every server of this process.
func TestReload(t *testing.T) {
	t.Parallel()
	t.Run("fails no delivery", reloadFailsNoDelivery)
	t.Run("life of a secret", reloadedSecret)
}

// While the configuration is read again and again, and a secret's file is being replaced all the time, no delivery
// fails that a secret verifies which was live before and after.
func reloadFailsNoDelivery(t *testing.T) {
	const rounds = 40
	r := startReloading(t, "file:new, file:old")
	var sent [2]atomic.Int64
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for n := range 4 {
		secret, count := []string{newSecret, oldSecret}[n%2], &sent[n%2]
		s := r.sender(secret)
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if status := r.post(s); status != http.StatusOK {
					t.Errorf("delivery by %s: %d", secret, status)
					return
				}
				count.Add(1)
			}
		})
	}
	lists := []string{"file:old, file:third, file:new", "file:new, file:old"}
	for round := range rounds {
		before := sent[0].Load() + sent[1].Load()
		r.replace("queuetrack.yaml", cityConfig(lists[round%2]))
		log := r.hangUp(func() { r.replace("new", newSecret) })
		if want := `"secrets":["` + strings.ReplaceAll(lists[round%2], ", ", `","`) + `"]`; !strings.Contains(log, want) {
			t.Errorf("round %d: no %s in\n%s", round, want, log)
		}
		r.until("deliveries go on", func() bool { return t.Failed() || sent[0].Load()+sent[1].Load() >= before+8 })
	}
	close(stop)
	senders.Wait()
	want := map[string]int64{"file:new": sent[0].Load(), "file:old": sent[1].Load()}
	r.until("every delivery is counted by its secret's name", func() bool { return cmp.Equal(want, r.verifiedBy()) })
	if code := r.ends(); code != exitDone {
		t.Errorf("serve = %d\n%s", code, r.log)
	}
	if strings.Contains(r.log.String(), "s3cr3t") {
		t.Errorf("the log shows a secret:\n%s", r.log)
	}
}

// The life of a secret: the new one first, the old one dropped, its file replaced; and what a mistake does.
func reloadedSecret(t *testing.T) {
	none := func() {}
	r := startReloading(t, "file:old")
	r.expect(map[string]int{oldSecret: 200, newSecret: 401})
	r.replace("queuetrack.yaml", cityConfig("file:new, file:old"))
	r.hangUp(none)
	r.expect(map[string]int{oldSecret: 200, newSecret: 200})
	r.replace("queuetrack.yaml", cityConfig("file:new"))
	r.hangUp(none)
	r.expect(map[string]int{oldSecret: 401, newSecret: 200})
	r.replace("new", thirdSecret)
	r.expect(map[string]int{newSecret: 200, thirdSecret: 401}) // not before it is asked to
	r.hangUp(none)
	r.expect(map[string]int{newSecret: 401, thirdSecret: 200})

	for _, c := range []struct{ name, config, file, log string }{
		{"short", cityConfig("file:new, s3cr3t"), thirdSecret, `queuetrack.yaml:6:25","what":"secret literal-2 is short`},
		{"missing", cityConfig("file:new, file:nowhere"), thirdSecret, `queuetrack.yaml:6:25","what":"secret file:nowhere: open`},
		{"unset", cityConfig("env:NOT_SET"), thirdSecret, `queuetrack.yaml:6:15","what":"secret env:NOT_SET: the environment has no NOT_SET; set it before the start`},
		{"unknown key", "typo: s3cr3t-of-nobody\n" + cityConfig("file:old"), thirdSecret, `queuetrack.yaml:1:1","what":"unknown field \"typo\""`},
		{"no YAML", cityConfig("file:old, 's3cr3t-of-nobody"), thirdSecret, `queuetrack.yaml:6:`},
		{"no text", cityConfig("{s3cr3t-of-nobody: 1}"), thirdSecret, `queuetrack.yaml:6:`},
		{"blank file", cityConfig("file:new"), "   ", `queuetrack.yaml:6:15","what":"secret file:new is blank`},
	} {
		r.replace("queuetrack.yaml", c.config)
		r.replace("new", c.file)
		if log := r.hangUp(none); !strings.Contains(log, c.log) || !strings.Contains(log, "everything stays as it was") {
			t.Errorf("%s: no %s in\n%s", c.name, c.log, log)
		}
		r.expect(map[string]int{oldSecret: 401, thirdSecret: 200})
	}

	// What else has changed is named and not applied; the secrets are.
	r.replace("queuetrack.yaml", cityConfig("file:old")+`    timezone: Europe/Tallinn
  - {name: store, kind: ombori, header: Authorization, secrets: [Bearer s3cr3t-of-the-store]}
`)
	if log := r.hangUp(none); !strings.Contains(log, `"keys":["sources[city].timezone","sources[store] (added)"]`) {
		t.Errorf("the changed keys are not named:\n%s", log)
	}
	r.expect(map[string]int{oldSecret: 200, thirdSecret: 401})
	if status := status(t, r.base+"/webhooks/store"); status != http.StatusNotFound {
		t.Errorf("a source that waits for the restart: %d, want 404", status)
	}

	// A source that is gone, or is another vendor's now, keeps its secrets.
	r.replace("queuetrack.yaml", "log_format: json\nsources:\n  - name: city\n    kind: superoffice\n    secrets: [file:third]\n")
	if log := r.hangUp(none); !strings.Contains(log, `"keys":["sources[city].kind","sources[city].public_url","sources[city].expire_after"]`) {
		t.Errorf("the changed keys are not named:\n%s", log)
	}
	r.replace("queuetrack.yaml", "log_format: text\n")
	if log := r.hangUp(none); !strings.Contains(log, `"keys":["log_format","sources[city] (removed)"]`) {
		t.Errorf("the changed keys are not named:\n%s", log)
	}
	r.expect(map[string]int{oldSecret: 200, thirdSecret: 401})
	if strings.Contains(r.log.String(), "s3cr3t") {
		t.Errorf("the log shows a secret:\n%s", r.log)
	}
}

// Every setting but secrets is compared: a new one can't be forgotten.
func TestRestartForEverySetting(t *testing.T) {
	t.Parallel()
	free := map[string]bool{"Name": true, "Secrets": true, "Line": true, "Location": true, "File": true, "Sources": true, "Access": true, "AuthNone": true, "tracer": true}
	var top config
	other := config{}
	restarts := func(string) bool { return len(top.restartFor(other)) == 1 }
	differ(t, &top, free, restarts)
	differ(t, &top.Access, free, restarts)
	var s, unchanged sourceConfig
	is := func(string) bool { return len(s.restartFor(unchanged)) == 1 }
	differ(t, &s, free, is)
	differ(t, &s.Config, free, is)
}

// differ sets each field of a struct for itself, and asks whether that was noticed.
func differ(t *testing.T, of any, free map[string]bool, noticed func(field string) bool) {
	t.Helper()
	v := reflect.ValueOf(of).Elem()
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		if free[name] || name == "Config" {
			continue
		}
		switch field.Interface().(type) {
		case string, kind:
			field.SetString("another")
		case bool:
			field.SetBool(true)
		case int64, time.Duration:
			field.SetInt(7)
		case *time.Location:
			field.Set(reflect.ValueOf(time.UTC))
		case setting:
			field.Set(reflect.ValueOf(setting{Value: "another"}))
		case map[string]queueConfig:
			field.Set(reflect.ValueOf(map[string]queueConfig{"1": {}}))
		default:
			t.Fatalf("%s: say here how a %s differs", name, field.Type())
		}
		if !noticed(name) {
			t.Errorf("%s has changed, and restartFor does not say so", name)
		}
		field.SetZero()
	}
}
