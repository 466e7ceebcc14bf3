package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exampleFolder holds what the documentation shows: requests with their answers.
const exampleFolder = "../../api/query/examples"

// docExample is one file: title, command, answer.
type docExample struct {
	file, operation, name string
	title, command        string
	curl                  curl
	answer                string
}

func docExamples(t *testing.T) (all []docExample) {
	t.Helper()
	files, err := filepath.Glob(exampleFolder + "/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e := docExample{file: file}
		e.operation, e.name, _ = strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), ".")
		title, rest, _ := strings.Cut(string(text), "\n\n$ ")
		e.title = title
		e.command, e.answer, _ = strings.Cut(rest, "\n\n")
		if e.curl, err = parseCurl(e.command); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, e)
	}
	return all
}

// TestExamples sends every example of the documentation to a whole server over a fixed morning, compares the answers
// with what the files show (-update rewrites them), and holds them against the OpenAPI document.
func TestExamples(t *testing.T) {
	t.Parallel()
	shared := newExamplesWorld(t)
	doc := servedDocument(t, shared)
	t.Run("examples", func(t *testing.T) {
		for _, e := range docExamples(t) {
			t.Run(e.operation+"."+e.name, func(t *testing.T) {
				if !e.changes() {
					shared.t = t
					e.check(t, shared, doc)
					return
				}
				t.Parallel()
				e.check(t, e.world(t), doc)
			})
		}
	})
}

// changes reports whether the example leaves another world behind, or needs one that was made for it.
func (e docExample) changes() bool {
	return e.curl.method != http.MethodGet && strings.HasPrefix(e.answer, "HTTP/1.1 2") || e.name == "under-way" || e.name == "already-retried"
}

// world is one of its own, for an example that changes it.
func (e docExample) world(t *testing.T) *story {
	t.Helper()
	s := newExamplesWorld(t)
	switch e.operation + "." + e.name {
	case "retry-dead-letter.":
		s.breakAdapter("city", "")
	case "rebuild.":
		t.Cleanup(s.hold())
	case "retry-quarantined.already-retried":
		s.send(strings.TrimPrefix(e.curl.url, shownBase), http.Header{}, "")
	case "rebuild.under-way":
		t.Cleanup(s.hold())
		s.begin()
	}
	return s
}

// check asks, and compares.
func (e docExample) check(t *testing.T, s *story, doc *openDocument) {
	t.Helper()
	r, err := e.curl.request(t.Context(), s.url)
	s.must(err)
	if r.Header.Get("If-None-Match") == shownTag {
		r.Header.Set("If-None-Match", s.tagOf(e.curl))
	}
	resp, err := http.DefaultClient.Do(r)
	s.must(err)
	defer resp.Body.Close()
	body := e.read(s, resp)
	doc.holds(t, e, resp, body)
	got := shownAnswer(resp, body)
	if got == e.answer {
		return
	}
	if !*update {
		t.Errorf("%s (-shown +answered; `go generate ./api/query` writes it anew):\n%s", e.command, cmp.Diff(strings.Split(e.answer, "\n"), strings.Split(got, "\n")))
		return
	}
	s.must(os.WriteFile(e.file, fmt.Appendf(nil, "%s\n\n$ %s\n\n%s", e.title, e.command, got), 0o644))
}

// read returns the body: of a stream what it sends at first, of metrics the lines asked for.
func (e docExample) read(s *story, resp *http.Response) []byte {
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return firstMessages(s, resp.Body)
	}
	body, err := io.ReadAll(resp.Body)
	s.must(err)
	if e.curl.grep == "" {
		return body
	}
	var kept bytes.Buffer
	for line := range bytes.Lines(body) {
		if bytes.HasPrefix(line, []byte(e.curl.grep)) {
			kept.Write(line)
		}
	}
	return kept.Bytes()
}

// firstMessages reads a stream up to its first queue.
func firstMessages(s *story, from io.Reader) []byte {
	var read []byte
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		s.must(err)
		read = append(read, buffer[:n]...)
		if at := bytes.Index(read, []byte("event: queue\n")); at >= 0 {
			if end := bytes.Index(read[at:], []byte("\n\n")); end >= 0 {
				return read[:at+end+1]
			}
		}
	}
}

// tagOf is the answer's present ETag.
func (s *story) tagOf(c curl) string {
	c.header = http.Header{}
	r, err := c.request(s.t.Context(), s.url)
	s.must(err)
	resp, err := http.DefaultClient.Do(r)
	s.must(err)
	s.must(resp.Body.Close())
	return resp.Header.Get("ETag")
}

// shownTag stands for every ETag: they differ by binary.
const shownTag = `"cR3vPq5N8sW1xYzA0bKdLmHt"`

// shownHeaders are those that a person has to do with.
var shownHeaders = []string{"Allow", "Content-Type", "ETag", "Retry-After"}

// shownAnswer writes an answer as the files show it.
func shownAnswer(resp *http.Response, body []byte) string {
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\n", resp.StatusCode, http.StatusText(resp.StatusCode))
	for _, name := range shownHeaders {
		value := resp.Header.Get(name)
		if name == "ETag" && value != "" {
			value = shownTag
		}
		if value != "" {
			fmt.Fprintf(&out, "%s: %s\n", name, value)
		}
	}
	var laidOut bytes.Buffer
	if json.Indent(&laidOut, body, "", "  ") == nil {
		body = laidOut.Bytes()
	}
	if text := strings.TrimRight(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n"); text != "" {
		fmt.Fprintf(&out, "\n%s\n", steady(text))
	}
	return out.String()
}

// unsteady are what differs each time, and what is shown for it.
var unsteady = []struct {
	pattern *regexp.Regexp
	shown   string
}{
	{regexp.MustCompile(`("instance": )"[^"]+"`), `$1"0b5c2a7e-6f43-4d0e-9c1d-2f5a8e7b9c10"`},
	{regexp.MustCompile(`("owner": )"[^"]+"`), `$1"host-1/4711/9f2c1a"`},
	{regexp.MustCompile(`("lease_until": )"[^"]+"`), `$1"2026-11-20T09:00:10Z"`},
	{regexp.MustCompile(`("started_at": )"[^"]+"`), `$1"2026-11-20T08:59:58Z"`},
	{regexp.MustCompile(`("ended_at": )"[^"]+"`), `$1"2026-11-20T08:59:59Z"`},
	{regexp.MustCompile(`("phase": )"(clearing|filling)"`), `$1"filling"`},
	{regexp.MustCompile(`"\S+ is at it: (rebuild of generation \d+), (clearing|filling), \d+ of`), `"host-1/4711/9f2c1a is at it: $1, filling, 0 of`},
}

func steady(text string) string {
	for _, u := range unsteady {
		text = u.pattern.ReplaceAllString(text, u.shown)
	}
	return text
}
