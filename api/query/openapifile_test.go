package query

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write openapi.json")

// TestOpenAPIFile: openapi.json in the tree is the document that the door serves, laid out (-update writes it).
func TestOpenAPIFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Version = "dev"
	w.mount()
	var got bytes.Buffer
	if err := json.Indent(&got, []byte(w.ask(http.MethodGet, "/openapi.json").body), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	want, err := os.ReadFile("openapi.json")
	if err == nil && bytes.Equal(got.Bytes(), want) {
		return
	}
	if !*update {
		t.Fatal("openapi.json is not the document that is served: run go generate ./api/query")
	}
	if err := os.WriteFile("openapi.json", got.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
