package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"queuetrack/api"
)

// rest asks the API. One that keeps answers asks again only whether they still hold, and knows whether any did not.
// It is not safe for concurrent use.
type rest struct {
	handler http.Handler
	now     func() time.Time
	kept    map[string]answer // by address; nil: nothing is kept
	changed bool              // an answer was another than before, since somebody set this to false
}

// answer is one that is kept.
type answer struct {
	tag   string
	body  []byte
	asked time.Time
	used  bool // since the last sweep
}

// address is a path, made of parts that may hold anything, with a query.
func address(query url.Values, parts ...string) string {
	path := ""
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// get asks for an address and decodes the answer into value. An answer that is kept and younger than age is taken as it is.
// What the API refuses comes back as its *[api.Problem].
func (r *rest) get(ctx context.Context, address string, age time.Duration, value any) error {
	known, isKept := r.kept[address]
	if !isKept || age == 0 || r.now().Sub(known.asked) >= age {
		fresh, err := r.ask(ctx, address, known)
		if err != nil {
			return err
		}
		known = fresh
	}
	known.used = true
	if r.kept != nil {
		r.kept[address] = known
	}
	if err := json.Unmarshal(known.body, value); err != nil {
		return fmt.Errorf("read the answer of %s: %w", address, err)
	}
	return nil
}

func (r *rest) ask(ctx context.Context, address string, known answer) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return known, fmt.Errorf("ask for %s: %w", address, err)
	}
	if known.tag != "" {
		request.Header.Set("If-None-Match", known.tag)
	}
	response := send(r.handler, request)
	asked := r.now()
	switch {
	case response.status == http.StatusNotModified:
		known.asked = asked
		return known, nil
	case response.status >= http.StatusBadRequest:
		return known, response.problem()
	}
	body := response.body.Bytes()
	r.changed = r.changed || !bytes.Equal(body, known.body)
	return answer{tag: response.header.Get("ETag"), body: body, asked: asked}, nil
}

// sweep forgets what nobody has asked for since the last sweep.
func (r *rest) sweep() {
	for address, a := range r.kept {
		if !a.used {
			delete(r.kept, address)
			continue
		}
		a.used = false
		r.kept[address] = a
	}
}

// send has a handler of this process answer.
func send(h http.Handler, request *http.Request) *recorded {
	// The router of the pages has left its route in the context: the API's would go on from it, with the page's method.
	request = request.WithContext(context.WithValue(request.Context(), chi.RouteCtxKey, (*chi.Context)(nil)))
	request.RequestURI = request.URL.RequestURI()
	response := &recorded{header: http.Header{}}
	h.ServeHTTP(response, request)
	return response
}

// recorded is an answer in memory.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorded) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorded) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recorded) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// problem is what a refusal says.
func (r *recorded) problem() error {
	p := &api.Problem{}
	if err := json.Unmarshal(r.body.Bytes(), p); err != nil || p.Status == 0 {
		return fmt.Errorf("the API answered %d: %.200s", r.status, r.body.String())
	}
	return p
}
