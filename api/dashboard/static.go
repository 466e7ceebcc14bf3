package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"path"
	"time"

	"github.com/go-chi/chi/v5"

	"queuetrack/api"
	"queuetrack/api/render"
)

const staticPath = "/static/"

//go:embed static
var staticFiles embed.FS

// reportStyle is the name of the style of package render's charts and tables.
const reportStyle = "report.css"

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// readStatic returns a file that pages are made of; nil when there is none.
func readStatic(name string) []byte {
	if name == reportStyle {
		return []byte(render.Style())
	}
	body, err := staticFiles.ReadFile("static/" + name)
	if err != nil {
		return nil
	}
	return body
}

// asset is the address of a file: it changes with its content, so that a browser may keep it for ever.
func asset(name string) string {
	sum := sha256.Sum256(readStatic(name))
	return staticPath + name + "?v=" + base64.RawURLEncoding.EncodeToString(sum[:9])
}

func serveStatic(w http.ResponseWriter, r *http.Request) {
	name := chi.URLParam(r, "name")
	body := readStatic(name)
	if body == nil {
		api.Fail(w, r, api.NewProblem(api.KindNotFound, "No page needs a file of this name."))
		return
	}
	w.Header().Set("Content-Type", contentTypes[path.Ext(name)])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}
