package dashboard

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"queuetrack/api"
)

// wantsPage reports whether who asks is a person in front of a browser.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// Readable has people read as a page what the guards of the pages refuse: it belongs around them. Whoever asks for no page
// gets their answer as it is, and so does everybody what is no problem.
func (d *Dashboard) Readable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wantsPage(r) {
			next.ServeHTTP(w, r)
			return
		}
		held := &problemHolder{ResponseWriter: w}
		next.ServeHTTP(held, r)
		if held.body == nil {
			return
		}
		problem := &api.Problem{}
		if err := json.Unmarshal(held.body.Bytes(), problem); err != nil {
			problem = api.NewProblem(api.KindInternal, "")
		}
		d.write(w, r, page{layout: "page"}, view{Title: problem.Title, Template: "problem", Data: problem, Status: held.status})
	})
}

// problemHolder keeps a problem back, and lets everything else through.
type problemHolder struct {
	http.ResponseWriter
	status int
	body   *bytes.Buffer // nil: it is no problem
}

// WriteHeader implements http.ResponseWriter.
func (h *problemHolder) WriteHeader(status int) {
	if status >= http.StatusBadRequest && strings.HasPrefix(h.Header().Get("Content-Type"), "application/problem+json") {
		h.status, h.body = status, &bytes.Buffer{}
		return
	}
	h.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (h *problemHolder) Write(b []byte) (int, error) {
	if h.body != nil {
		return h.body.Write(b)
	}
	return h.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (h *problemHolder) Unwrap() http.ResponseWriter { return h.ResponseWriter }
