package query

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// exampleFiles are requests with their answers. A test sends each one to a real server and compares (and writes them
// anew, see generate.go), so the documentation shows what is really answered.
//
//go:embed examples
var exampleFiles embed.FS

// example is one request with its answer: a file named OPERATION.txt, or OPERATION.NAME.txt for a further one, with a
// title, the request as a command, and the answer as `curl -i` shows it.
type example struct {
	operation, name string
	title, command  string
	status          string // of the answer
	media           string // its type; empty: it has no body
	body            string
}

// readExamples reads all examples, by operation, the one without a name first.
func readExamples(files fs.FS) ([]example, error) {
	names, err := fs.Glob(files, "examples/*.txt")
	if err != nil {
		return nil, fmt.Errorf("list the examples: %w", err)
	}
	var all []example
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read an example: %w", err)
		}
		e, err := parseExample(string(text))
		if err != nil {
			return nil, fmt.Errorf("read the example %s: %w", name, err)
		}
		e.operation, e.name, _ = strings.Cut(strings.TrimSuffix(path.Base(name), ".txt"), ".")
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b example) int {
		return cmp.Or(cmp.Compare(a.operation, b.operation), cmp.Compare(a.name, b.name))
	})
	return all, nil
}

// parseExample reads a file: title, "$ command", status line with headers, body, with an empty line between.
func parseExample(text string) (e example, err error) {
	parts := strings.SplitN(text, "\n\n", 4)
	if len(parts) < 3 || !strings.HasPrefix(parts[1], "$ ") {
		return e, fmt.Errorf("it has no title, $ command and answer")
	}
	e.title, e.command = strings.TrimSpace(parts[0]), parts[1][len("$ "):]
	head := strings.Split(strings.TrimSpace(parts[2]), "\n")
	if status := strings.Fields(head[0]); len(status) >= 2 && status[0] == "HTTP/1.1" {
		e.status = status[1]
	}
	if _, err := strconv.Atoi(e.status); err != nil {
		return e, fmt.Errorf("%q is no status line", head[0])
	}
	for _, line := range head[1:] {
		if value, ok := strings.CutPrefix(line, "Content-Type: "); ok {
			e.media, _, _ = strings.Cut(value, ";")
		}
	}
	if len(parts) == 4 {
		e.body = strings.TrimSuffix(parts[3], "\n")
	}
	return e, nil
}

// describeExamples shows the examples with their operations: the commands as code samples, the answers with the media
// type of their status. The order of the files is that of the commands.
func describeExamples(oapi *huma.OpenAPI, examples []example) error {
	operations := map[string]*huma.Operation{}
	for _, item := range oapi.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op != nil {
				operations[op.OperationID] = op
			}
		}
	}
	for _, e := range examples {
		op, known := operations[e.operation]
		if !known {
			continue // a door without an operator has no POSTs
		}
		if err := e.describe(op); err != nil {
			return fmt.Errorf("describe the example %s.%s: %w", e.operation, e.name, err)
		}
	}
	return nil
}

// codeSample is an item of x-codeSamples, a widely read extension.
type codeSample struct {
	Lang   string `json:"lang"`
	Label  string `json:"label"`
	Source string `json:"source"`
}

func (e example) describe(op *huma.Operation) error {
	if op.Extensions == nil {
		op.Extensions = map[string]any{}
	}
	samples, _ := op.Extensions["x-codeSamples"].([]codeSample)
	op.Extensions["x-codeSamples"] = append(samples, codeSample{"Shell", e.title + " → " + e.status, e.command})
	response, ok := op.Responses[e.status]
	if !ok {
		return fmt.Errorf("the operation answers no %s", e.status)
	}
	if e.media == "" {
		return nil
	}
	media, ok := response.Content[e.media]
	if !ok {
		return fmt.Errorf("its %s is never %s", e.status, e.media)
	}
	shown := &huma.Example{Summary: e.title, Value: e.body}
	if strings.HasSuffix(e.media, "json") {
		shown.Value = json.RawMessage(e.body)
	}
	if media.Examples == nil {
		media.Examples = map[string]*huma.Example{}
	}
	media.Examples[fmt.Sprintf("%02d-%s", len(media.Examples)+1, cmp.Or(e.name, "example"))] = shown // viewers go by the key
	return nil
}
