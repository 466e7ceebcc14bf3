package query

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/swaggest/swgui/v5emb"
)

//go:embed docs
var docFiles embed.FS

// docsPolicy lets the documentation page run its own scripts and ask this server, and nothing else. The inline styles
// are the viewer's own.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// mountDocs adds /openapi.json and /docs. Both are whole in this binary: no page of ours loads anything from elsewhere.
func mountDocs(r chi.Router, oapi *huma.OpenAPI) {
	document := documentOf(oapi)
	r.Get("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		write(w, "application/json", document)
	})
	r.Get("/docs", page200("text/html; charset=utf-8", "docs/index.html"))
	r.Get("/docs/start.js", page200("text/javascript; charset=utf-8", "docs/start.js"))
	r.Get("/docs/own.css", page200("text/css; charset=utf-8", "docs/own.css"))
	viewer := v5emb.New("queuetrack", "/openapi.json", "/docs/")
	for _, asset := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"} {
		r.Get("/docs/"+asset, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=86400")
			viewer.ServeHTTP(w, r)
		})
	}
}

// documentOf writes the document with its examples. All of it is our own and embedded: tests read it, so nothing of it
// fails in a server that was built.
func documentOf(oapi *huma.OpenAPI) []byte {
	examples, err := readExamples(exampleFiles)
	if err == nil {
		err = describeExamples(oapi, examples)
	}
	if err != nil {
		panic(err)
	}
	document, err := json.Marshal(oapi)
	if err != nil {
		panic(err)
	}
	return document
}

// page200 answers with one of our own files.
func page200(contentType, name string) http.HandlerFunc {
	body, err := fs.ReadFile(docFiles, name)
	if err != nil {
		panic(err) // embedded
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		write(w, contentType, body)
	}
}

func write(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}
