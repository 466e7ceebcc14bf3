package api

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// NewRouter returns the router that the doors are mounted on: wrapped by [Wrap], answering HEAD wherever it answers
// GET, and with problems for what it does not know. It explains each kind of them. What is around every request stands
// directly within [Wrap], in the order given: a router that answers takes no more of it.
func NewRouter(log *slog.Logger, around ...func(http.Handler) http.Handler) chi.Router {
	r := chi.NewRouter()
	r.Use(func(next http.Handler) http.Handler { return Wrap(log, next) })
	r.Use(append(around, middleware.GetHead)...)
	r.NotFound(NotFound)
	r.MethodNotAllowed(methodNotAllowed(r))
	mountProblems(r)
	return r
}

// NotFound answers that nothing is at a path.
func NotFound(w http.ResponseWriter, r *http.Request) {
	Fail(w, r, NewProblem(KindNotFound, "There is nothing at this path. /docs and /openapi.json list what there is; the API's paths begin with /v1/, as /v1/queues."))
}

// methodNotAllowed answers with the methods that the path does know.
func methodNotAllowed(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		var allowed []string
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if !routes.Match(chi.NewRouteContext(), m, path) {
				continue
			}
			allowed = append(allowed, m)
			if m == http.MethodGet {
				allowed = append(allowed, http.MethodHead)
			}
		}
		Fail(w, r, MethodNotAllowed(allowed...))
	}
}

// MethodNotAllowed returns the problem of a method that is not among the allowed ones.
func MethodNotAllowed(allowed ...string) *Problem {
	list := strings.Join(allowed, ", ")
	return NewProblem(KindMethodNotAllowed, "Allowed here: "+list+".").With("Allow", list)
}
