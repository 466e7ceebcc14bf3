package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
)

var update = flag.Bool("update", false, "write what the stories' steps answer into their files")

const stories = "../../testdata"

// TestStories plays every story of testdata: files that read like the flow, section by section.
//
//	config.yaml             the configuration
//	clock TIME              what time it is from here on
//	POST PATH               a webhook, signed as its vendor would; header lines and an empty line may come first,
//	                        and "Signed: no", or by another secret: "Signed: by SECRET". Or what an operator asks for
//	answer                  what it was answered (else it must be 200)
//	deliver SOURCE FOLDER   every delivery of a folder, each when it could first have been sent
//	expire                  what is due
//	broken SOURCE           the source's adapter fails on bodies that have this text; none: it is mended
//	queuetrack COMMAND …    what the command prints, on the same database
//	log SOURCE              the source's log
//	GET PATH                a question, and its answer
//
// After each step that may write, everything is folded and every invariant of log and read models re-verified. Each
// story is played with pages of 1 and of 500 events: the answers are the same. In the end the log goes out and in again.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(stories, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("stories: %v, %v", files, err)
	}
	for _, file := range files {
		for _, page := range []int{500, 1} {
			t.Run(fmt.Sprintf("%s/pages of %d", strings.TrimSuffix(filepath.Base(file), ".txtar"), page), func(t *testing.T) {
				t.Parallel()
				play(t, file, page)
			})
		}
	}
}

func play(t *testing.T, file string, page int) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &story{t: t, page: page}
	changed := false
	for i := range archive.Files {
		section := &archive.Files[i]
		got, checked := s.step(section.Name, string(section.Data))
		if !checked || got == string(section.Data) {
			continue
		}
		if *update && page != 1 {
			section.Data, changed = []byte(got), true
			continue
		}
		t.Errorf("%s (-want +got):\n%s", section.Name, cmp.Diff(strings.Split(string(section.Data), "\n"), strings.Split(got, "\n")))
	}
	if page != 1 {
		s.comesBack()
	}
	if changed {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// story is one being played.
type story struct {
	t      *testing.T
	page   int
	clock  atomic.Pointer[time.Time]
	config config
	path   string // of the configuration
	parts  *parts
	work   *rebuilds
	url    string
	answer string // to the last POST
}

func (s *story) now() time.Time { return *s.clock.Load() }

func (s *story) set(now time.Time) { s.clock.Store(&now) }

// step plays a section. It returns what the section should hold, where that can be told.
func (s *story) step(name, data string) (got string, checked bool) {
	verb, rest, _ := strings.Cut(name, " ")
	switch verb {
	case "config.yaml":
		s.open(data)
	case "clock":
		s.set(s.time(rest))
	case "POST":
		s.post(rest, data)
	case "answer":
		return s.answer, true
	case "deliver":
		source, folder, _ := strings.Cut(rest, " ")
		return s.deliver(source, folder), true
	case "expire":
		n, err := s.parts.expirer(s.now).ExpireOnce(s.t.Context())
		s.must(err)
		s.settle()
		return fmt.Sprintf("%d\n", n), true
	case "broken":
		s.breakAdapter(rest, strings.TrimSuffix(data, "\n"))
	case "queuetrack":
		return s.command(rest), true
	case "log":
		return s.log(rest), true
	case "GET":
		return s.get(rest), true
	default:
		s.t.Fatalf("%s: no such section", name)
	}
	return "", false
}

// open starts a server with the configuration on a fresh database.
func (s *story) open(text string) {
	path := filepath.Join(s.t.TempDir(), "config.yaml")
	s.must(os.WriteFile(path, []byte(text), 0o600))
	a := &app{flags: globalFlags{config: path}}
	c, err := a.loadConfig()
	s.must(err)
	pool := dbtest.New(s.t)
	p, err := newParts(c, pools{pool, pool, pool})
	s.must(err)
	whole := newServer(p, slog.New(slog.NewTextHandler(s.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), s.now)
	server := httptest.NewServer(whole.handler)
	s.t.Cleanup(server.Close)
	s.config, s.path, s.parts, s.work, s.url = c, path, p, whole.rebuilds, server.URL
	s.set(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

func (s *story) time(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	s.must(err)
	return at
}

var headerLine = regexp.MustCompile(`^([A-Z][A-Za-z-]*): (.*)$`)

// post sends a section's body. The line end that the file needs is not part of it.
func (s *story) post(path, data string) {
	body := strings.TrimSuffix(data, "\n")
	header := http.Header{"Content-Type": {"application/json"}}
	signed := ""
	if head, rest, ok := strings.Cut(body, "\n\n"); ok && headerLine.MatchString(strings.Split(head, "\n")[0]) {
		for _, line := range strings.Split(head, "\n") {
			m := headerLine.FindStringSubmatch(line)
			if m[1] == "Signed" {
				signed = m[2]
				continue
			}
			header.Set(m[1], m[2])
		}
		body = rest
	}
	source, _ := s.config.source(strings.TrimPrefix(path, "/webhooks/")) // an unknown one answers 404
	if signed != "no" {
		s.sign(header, source, strings.TrimPrefix(signed, "by "), []byte(body))
	}
	s.answer = s.send(path, header, body)
}

func (s *story) send(path string, header http.Header, body string) string {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	s.must(err)
	req.Header = header
	status, text := s.do(req)
	s.settle()
	if status == http.StatusOK {
		return text
	}
	return fmt.Sprintf("%d %s\n", status, http.StatusText(status))
}

// sign does what each vendor's documentation says, with nothing of our own signers.
func (s *story) sign(h http.Header, source sourceConfig, secret string, body []byte) {
	if secret == "" && len(source.Secrets) > 0 {
		secret = string(source.Secrets[0].Value)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	switch source.Kind {
	case kindQminder:
		mac.Write([]byte(source.PublicURL))
		mac.Write(body)
		h.Set("X-Qminder-Signature", hex.EncodeToString(mac.Sum(nil)))
	case kindOmbori:
		h.Set(source.Header, secret)
	case kindSuperOffice:
		mac.Write(body)
		h.Set("X-SuperOffice-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	default:
		if source.Kind != "" { // else the name is unknown, and the answer 404
			s.t.Fatalf("say here how %s signs, by its documentation and without its adapter", source.Kind)
		}
	}
}

var instants = regexp.MustCompile(`"(?:date|createdAt|activatedAt|calledAt|fulfilledAt|completedAt|rejectedAt|Timestamp)": *"([^"]+)"`)

// deliver sends every file of a folder in order, the clock moved on to when it could have been sent.
func (s *story) deliver(name, folder string) string {
	files, err := filepath.Glob(filepath.Join(stories, folder, "*.json"))
	s.must(err)
	source, err := s.config.source(name)
	s.must(err)
	var out strings.Builder
	for _, file := range files {
		body, err := os.ReadFile(file)
		s.must(err)
		s.set(s.now().Add(time.Second))
		for _, m := range instants.FindAllSubmatch(body, -1) {
			at, err := time.Parse(time.RFC3339Nano, string(m[1]))
			if err == nil && at.After(s.now()) {
				s.set(at.Truncate(time.Second).Add(time.Second))
			}
		}
		header := http.Header{"Content-Type": {"application/json"}}
		s.sign(header, source, "", body)
		fmt.Fprintf(&out, "%s %s", filepath.Base(file), s.send("/webhooks/"+name, header, string(body)))
	}
	return out.String()
}

// get asks and lays out the answer.
func (s *story) get(path string) string {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	s.must(err)
	status, text := s.do(req)
	if status >= http.StatusInternalServerError {
		s.t.Errorf("GET %s: %d", path, status)
	}
	if status != http.StatusOK {
		text = fmt.Sprintf("%d %s\n%s", status, http.StatusText(status), noID.ReplaceAllString(text, ""))
	}
	return noInstant.ReplaceAllString(text, `$1"…"$2"…"`)
}

var (
	// noID matches the request's id, which is never the same, in a problem.
	noID = regexp.MustCompile(` *"instance": "[^"]*",?\n`)
	// noInstant matches when a rebuild began, and noTime how long it took.
	noInstant = regexp.MustCompile(`("started_at": )"[^"]*"(,\n +"ended_at": )"[^"]*"`)
	noTime    = regexp.MustCompile(`folded in [0-9.]+(s|ms|µs)`)
)

// command runs the program, as a process beside the server, and returns what it says.
func (s *story) command(line string) string {
	var out bytes.Buffer
	args := append(strings.Fields(line), "--config", s.path, "--database-url", s.parts.pools.reading.Config().ConnString())
	code := run(s.t.Context(), args, nil, nil, &out, &out)
	s.settle()
	text := noTime.ReplaceAllString(out.String(), "folded in …")
	if code != exitDone {
		text += fmt.Sprintf("exit code %d\n", code)
	}
	return text
}

func (s *story) do(req *http.Request) (status int, text string) {
	resp, err := http.DefaultClient.Do(req)
	s.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	s.must(err)
	var laidOut bytes.Buffer
	if req.Method == http.MethodGet && json.Indent(&laidOut, body, "", "  ") == nil {
		body = laidOut.Bytes()
	}
	text = strings.ReplaceAll(string(body), "\r\n", "\n") // CSV's, which would not survive in a text file
	return resp.StatusCode, strings.TrimSuffix(text, "\n") + "\n"
}

// brokenAdapter fails on bodies that have a text.
type brokenAdapter struct {
	source.Source
	text string
}

func (b brokenAdapter) Decode(body []byte) (source.Decoded, error) {
	if bytes.Contains(body, []byte(b.text)) {
		return source.Decoded{}, fmt.Errorf("no adapter knows what %s is", b.text)
	}
	return b.Source.Decode(body)
}

// breakAdapter breaks a source's adapter, or mends it.
func (s *story) breakAdapter(name, text string) {
	adapter := s.parts.sources[name]
	if broken, ok := adapter.(brokenAdapter); ok {
		adapter = broken.Source
	}
	if text != "" {
		adapter = brokenAdapter{adapter, text}
	}
	s.parts.sources[name] = adapter
}

// log lists a source's events, one a line.
func (s *story) log(source string) string {
	events, err := s.parts.log.Read(s.t.Context(), source, 0, 1000)
	s.must(err)
	var out strings.Builder
	for _, e := range events {
		fmt.Fprintf(&out, "%d %s %s %s by %s", e.Position, e.ReceivedAt.Format(time.RFC3339), e.Type, first(e.Ticket, "-"), e.VerifiedBy)
		if e.Quarantined != "" {
			fmt.Fprintf(&out, " quarantined: %s", e.Quarantined)
		}
		if e.RepeatOf != 0 {
			fmt.Fprintf(&out, " repeats %d", e.RepeatOf)
		}
		out.WriteString("\n")
	}
	return out.String()
}

// settle folds what is in the log, and checks everything, once what runs in the background has ended.
func (s *story) settle() {
	s.work.turn <- struct{}{}
	s.work.give()
	ended, end := context.WithCancel(s.t.Context())
	end()
	s.must(s.parts.log.Run(ended)) // writes the counters, and returns
	s.must(s.parts.runner(slog.New(slog.DiscardHandler), s.page).CatchUp(s.t.Context()))
	checkEverything(s.t.Context(), s.t, s.parts)
}

// checkEverything re-verifies every invariant of log and read models.
func checkEverything(ctx context.Context, t *testing.T, p *parts) {
	t.Helper()
	_, err := projection.Verify(ctx, p.pools.reading, p.sources, p.models(), func(v eventstore.Violation) { t.Error(describe(v)) }, projection.VerifyConfig{})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
