package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// openDocument is what /openapi.json serves, twice: as it is, and closed, so that what it doesn't tell of is an error.
type openDocument struct {
	served, closed *openapi3.T
}

// servedDocument asks a server for it, and validates it by the rules of OpenAPI 3.1. Its examples may be of before a change
// that is being made: the file's are validated.
func servedDocument(t *testing.T, s *story) *openDocument {
	t.Helper()
	resp, err := http.Get(s.url + "/openapi.json") //nolint:noctx // of a test's own server
	s.must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	s.must(err)
	return readDocument(t, raw, openapi3.DisableExamplesValidation())
}

func readDocument(t *testing.T, raw []byte, options ...openapi3.ValidationOption) *openDocument {
	t.Helper()
	loader := openapi3.NewLoader()
	served, err := loader.LoadFromData(raw)
	if err == nil {
		err = served.Validate(t.Context(), append(options, openapi3.IsOpenAPI31OrLater())...)
	}
	if err != nil {
		t.Fatalf("the document is not OpenAPI 3.1: %v", err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	shut(tree)
	raw, err = json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	closed, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &openDocument{served, closed}
}

// shut lets no object of a schema have properties that it doesn't tell of.
func shut(node any) {
	switch node := node.(type) {
	case []any:
		for _, n := range node {
			shut(n)
		}
	case map[string]any:
		_, listed := node["properties"].(map[string]any)
		_, typed := node["additionalProperties"].(map[string]any)
		if listed && !typed {
			node["additionalProperties"] = false
		}
		for key, n := range node {
			if key != "example" && key != "examples" {
				shut(n)
			}
		}
	}
}

// operation finds one by its id.
func (d *openDocument) operation(id string) (path, method string, op *openapi3.Operation) {
	for path, item := range d.closed.Paths.Map() {
		for method, op := range item.Operations() {
			if op.OperationID == id {
				return path, method, op
			}
		}
	}
	return "", "", nil
}

// holds fails unless the operation is asked as the document says, and answers what it says.
func (d *openDocument) holds(t *testing.T, e docExample, resp *http.Response, body []byte) {
	t.Helper()
	path, method, op := d.operation(e.operation)
	if op == nil {
		t.Fatalf("the document has no operation %s", e.operation)
	}
	if err := d.asks(e.curl); err != nil && resp.StatusCode < 400 {
		t.Errorf("%s %s: %v", method, path, err)
	}
	answer := op.Responses.Value(fmt.Sprint(resp.StatusCode))
	if answer == nil {
		t.Fatalf("%s tells of no %d", e.operation, resp.StatusCode)
	}
	if len(body) == 0 {
		return
	}
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	content := answer.Value.Content.Get(media)
	if content == nil {
		t.Fatalf("%s %d tells of no %s", e.operation, resp.StatusCode, media)
	}
	switch {
	case strings.HasSuffix(media, "json"):
		conforms(t, e.operation, content.Schema, body)
	case media == "text/event-stream":
		d.streams(t, body)
	}
}

func conforms(t *testing.T, what string, schema *openapi3.SchemaRef, body []byte) {
	t.Helper()
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("%s: %v in %s", what, err, body)
	}
	if err := schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.MultiErrors()); err != nil {
		t.Errorf("%s does not conform to its schema: %v", what, err)
	}
}

// streams holds a stream's messages against the answers that they are said to be.
func (d *openDocument) streams(t *testing.T, body []byte) {
	t.Helper()
	answer := func(id string) *openapi3.SchemaRef {
		_, _, op := d.operation(id)
		return op.Responses.Value("200").Value.Content.Get("application/json").Schema
	}
	for message := range strings.SplitSeq(string(body), "\n\n") {
		_, data, _ := strings.Cut(message, "data: ")
		data, _, _ = strings.Cut(data, "\n")
		switch {
		case strings.Contains(message, "event: queue\n"):
			conforms(t, "queue", answer("list-queues").Value.Properties["items"].Value.Items, []byte(data))
		case strings.Contains(message, "event: ticket\n"):
			conforms(t, "ticket", answer("get-ticket"), []byte(data))
		}
	}
}

// asks reports what of a command the document doesn't know: its path, method or a parameter.
func (d *openDocument) asks(c curl) error {
	u, err := url.Parse(c.url)
	if err != nil {
		return err
	}
	for template, item := range d.served.Paths.Map() {
		pattern := "^" + regexp.MustCompile(`\\\{[^/]+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`) + "$"
		op := item.Operations()[c.method]
		if op == nil || !regexp.MustCompile(pattern).MatchString(u.EscapedPath()) {
			continue
		}
		for name := range u.Query() {
			if op.Parameters.GetByInAndName("query", name) == nil {
				return fmt.Errorf("%s %s has no parameter %s", c.method, template, name)
			}
		}
		return nil
	}
	return fmt.Errorf("there is no %s %s", c.method, u.Path)
}

// TestEveryOperationHasAnExample also wants every kind of answer that people meet to be shown.
func TestEveryOperationHasAnExample(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../api/query/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, e := range docExamples(t) {
		if strings.HasPrefix(e.answer, "HTTP/1.1 2") {
			shown[e.operation] = true
		}
	}
	for path, item := range readDocument(t, raw).served.Paths.Map() {
		for method, op := range item.Operations() {
			if !shown[op.OperationID] {
				t.Errorf("%s %s has no example that succeeds: write api/query/examples/%s.txt", method, path, op.OperationID)
			}
			for _, p := range op.Parameters {
				if !hasExample(p.Value) {
					t.Errorf("%s %s: the parameter %s has no example", method, path, p.Value.Name)
				}
			}
		}
	}
}

func hasExample(p *openapi3.Parameter) bool {
	s := p.Schema.Value
	return p.Example != nil || s.Example != nil || len(s.Examples) > 0 || len(s.Enum) > 0 || s.Default != nil
}

// TestOpenAPIFileIsServed: the file in the tree is what a server serves, its version aside.
func TestOpenAPIFileIsServed(t *testing.T) {
	t.Parallel()
	s := &story{t: t, page: 500}
	s.open(examplesConfig)
	resp, err := http.Get(s.url + "/openapi.json") //nolint:noctx // of a test's own server
	s.must(err)
	defer resp.Body.Close()
	served, err := io.ReadAll(resp.Body)
	s.must(err)
	file, err := os.ReadFile("../../api/query/openapi.json")
	s.must(err)
	version := regexp.MustCompile(`"version": ?"[^"]*"`)
	var compact bytes.Buffer
	s.must(json.Compact(&compact, file))
	want, got := version.ReplaceAllString(compact.String(), ""), version.ReplaceAllString(strings.TrimSpace(string(served)), "")
	if want != got {
		t.Errorf("api/query/openapi.json is not what is served: run go generate ./api/query\n%s", cmp.Diff(strings.Split(want, ","), strings.Split(got, ",")))
	}
}

var fenced = regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")

// TestReadmeCommandsWork sends every curl command of the README to a server: none may ask for what there is not.
func TestReadmeCommandsWork(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	about, err := os.ReadFile("../../api/query/docs/about.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newExamplesWorld(t)
	doc := servedDocument(t, s)
	commands := slices.Concat(shownCommands(string(text)), shownCommands(string(about)))
	if len(commands) == 0 {
		t.Fatal("no command was found")
	}
	for _, line := range commands {
		c, err := parseCurl(line)
		s.must(err)
		if err := doc.asks(c); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if strings.Contains(line, `"$`) {
			continue // what the shell would put there, we can't know
		}
		r, err := c.request(t.Context(), s.url)
		s.must(err)
		if status, body := s.do(r); status >= http.StatusBadRequest {
			t.Errorf("%s: %d %s", line, status, body)
		}
		s.settle()
	}
}

// shownCommands are the curl commands to a local server in a text's code blocks.
func shownCommands(text string) (list []string) {
	for _, block := range fenced.FindAllStringSubmatch(text, -1) {
		for line := range strings.SplitSeq(strings.ReplaceAll(block[1], "\\\n", " "), "\n") {
			line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
			if strings.HasPrefix(line, "curl ") && strings.Contains(line, shownBase) && !strings.Contains(line, "/v1/stream") {
				list = append(list, line)
			}
		}
	}
	return list
}
