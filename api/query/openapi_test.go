package query

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// document is what /openapi.json serves.
func document(t *testing.T) (doc map[string]any, raw string) {
	t.Helper()
	w := newWorld(t)
	a := w.ask(http.MethodGet, "/openapi.json")
	if a.status != 200 || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("answer %d %s", a.status, a.header.Get("Content-Type"))
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		t.Fatal(err)
	}
	return doc, a.body
}

func TestOpenAPIHasEveryOperation(t *testing.T) {
	t.Parallel()
	doc, _ := document(t)
	if v, _ := doc["openapi"].(string); !strings.HasPrefix(v, "3.1") {
		t.Errorf("openapi %q", v)
	}
	var got []string
	for path, methods := range doc["paths"].(map[string]any) {
		for method := range methods.(map[string]any) {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(got)
	want := []string{
		"GET /livez", "GET /metrics", "GET /readyz", "GET /v1/dead-letters", "GET /v1/dead-letters/{source}/{position}", "GET /v1/events", "GET /v1/projections", "GET /v1/projections/rebuild", "GET /v1/quarantine", "GET /v1/quarantine/{source}/{position}",
		"GET /v1/queues", "GET /v1/queues/{source}/{queue}", "GET /v1/queues/{source}/{queue}/tickets", "GET /v1/reports/estimates/backtest", "GET /v1/reports/waits",
		"GET /v1/sources", "GET /v1/sources/{source}/rejections", "GET /v1/stream", "GET /v1/tickets", "GET /v1/tickets/{source}/{ticket}", "GET /v1/tickets/{source}/{ticket}/history",
		"POST /v1/dead-letters/{source}/{position}/dismiss", "POST /v1/dead-letters/{source}/{position}/retry", "POST /v1/projections/rebuild",
		"POST /v1/quarantine/{source}/{position}/retry", "POST /v1/tickets/{source}/{ticket}/close", "POST /webhooks/{source}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestOpenAPIDescribesEveryAnswer(t *testing.T) {
	t.Parallel()
	doc, _ := document(t)
	ids := map[string]bool{}
	for path, methods := range doc["paths"].(map[string]any) {
		for method, o := range methods.(map[string]any) {
			op := o.(map[string]any)
			if id, _ := op["operationId"].(string); id == "" || ids[id] || op["summary"] == "" {
				t.Errorf("%s %s: operation id %q or summary", method, path, id)
			} else {
				ids[id] = true
			}
			responses := op["responses"].(map[string]any)
			if responses["200"] == nil {
				t.Errorf("%s %s has no 200", method, path)
			}
			if !strings.HasPrefix(path, "/v1/") {
				continue
			}
			for _, status := range []string{"400", "401", "403", "429", "500", "503"} {
				if content, ok := responses[status].(map[string]any)["content"].(map[string]any); !ok || content["application/problem+json"] == nil {
					t.Errorf("%s %s: %s is no problem", method, path, status)
				}
			}
			scope := "read"
			if method == "post" {
				scope = "admin"
			}
			if diff := cmp.Diff([]any{map[string]any{"key": []any{scope}}}, op["security"]); diff != "" {
				t.Errorf("%s %s: security (-want +got):\n%s", method, path, diff)
			}
			if named := strings.Contains(path, "{"); named != (responses["404"] != nil) {
				t.Errorf("%s %s: 404 described: %v", method, path, !named)
			}
		}
	}
}

func TestOpenAPIReferencesResolve(t *testing.T) {
	t.Parallel()
	doc, raw := document(t)
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`"\$ref":"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(raw, -1) {
		used[m[1]] = true
		if schemas[m[1]] == nil {
			t.Errorf("no schema %s", m[1])
		}
	}
	for name := range schemas {
		if !used[name] {
			t.Errorf("schema %s is used nowhere", name)
		}
	}
	for _, foreign := range []string{"ErrorModel", "$schema", "unpkg", `"422"`} {
		if strings.Contains(raw, foreign) {
			t.Errorf("the document has %s", foreign)
		}
	}
}

func TestOpenAPIArraysAreNeverNull(t *testing.T) {
	t.Parallel()
	_, raw := document(t)
	if strings.Contains(raw, `["array","null"]`) {
		t.Error("an array may be null")
	}
}

func TestDocsLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page := w.ask(http.MethodGet, "/docs")
	if page.status != 200 || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Fatalf("answer %d %s", page.status, page.header.Get("Content-Type"))
	}
	csp := page.header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'; script-src 'self';") {
		t.Errorf("policy %q", csp)
	}
	if regexp.MustCompile(`<script>|<style|\son\w+=|https?://`).MatchString(page.body) {
		t.Error("the page has inline code or loads from elsewhere")
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
		a := w.ask(http.MethodGet, m[1])
		if a.status != 200 || a.body == "" {
			t.Errorf("%s: %d", m[1], a.status)
		}
		for path, kind := range map[string]string{".js": "javascript", ".css": "css", ".png": "png", ".json": "json"} {
			if strings.HasSuffix(m[1], path) && !strings.Contains(a.header.Get("Content-Type"), kind) {
				t.Errorf("%s is served as %s", m[1], a.header.Get("Content-Type"))
			}
		}
	}
}

// TestOpenAPIDescribesEveryField: each one has words, and each that may be null says when.
func TestOpenAPIDescribesEveryField(t *testing.T) {
	t.Parallel()
	doc, _ := document(t)
	fields := 0
	var walk func(where string, node any)
	walk = func(where string, node any) {
		schema, _ := node.(map[string]any)
		properties, _ := schema["properties"].(map[string]any)
		for name, p := range properties {
			fields++
			text, _ := p.(map[string]any)["description"].(string)
			if text == "" {
				t.Errorf("%s.%s has no description", where, name)
			} else if mayBeNull(p.(map[string]any)) && !strings.Contains(strings.ToLower(text), "null") {
				t.Errorf("%s.%s may be null, and %q does not say when", where, name, text)
			}
			walk(where+"."+name, p)
		}
		if items, ok := schema["items"]; ok {
			walk(where+"[]", items)
		}
	}
	for name, schema := range doc["components"].(map[string]any)["schemas"].(map[string]any) {
		walk(name, schema)
	}
	for path, methods := range doc["paths"].(map[string]any) {
		for method, o := range methods.(map[string]any) {
			op := o.(map[string]any)
			for status, r := range op["responses"].(map[string]any) {
				content, _ := r.(map[string]any)["content"].(map[string]any)
				for _, media := range content {
					walk(path+" "+status, media.(map[string]any)["schema"])
				}
			}
			list, _ := op["parameters"].([]any)
			for _, p := range list {
				if param := p.(map[string]any); param["description"] == nil {
					t.Errorf("%s %s: the parameter %s has no description", method, path, param["name"])
				}
			}
		}
	}
	if fields < 100 {
		t.Errorf("only %d fields were looked at", fields)
	}
}

func mayBeNull(schema map[string]any) bool {
	if types, ok := schema["type"].([]any); ok && slices.Contains(types, any("null")) {
		return true
	}
	either, _ := schema["anyOf"].([]any)
	return slices.ContainsFunc(either, func(s any) bool { return s.(map[string]any)["type"] == "null" })
}
