package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/go-chi/chi/v5"

	"queuetrack/api"
)

// Bounds of what a page sends: its bytes, and how long they take. Nobody needs a key to sign in, and whoever sends a form
// slowly holds a connection.
const (
	maxForm      = 8 << 10
	formPatience = 5 * time.Second
)

// form is what a page has done by a POST. The page's guard has asked who sends it; nothing here answers a GET.
type form struct {
	// do does it by REST, and returns the address to look at then; that of a problem is where to go back to.
	do func(ctx context.Context, in input, sent url.Values, ask *rest) (next string, err error)
	// again is the page to show with a problem, what was sent still in it; nil: a page of the problem alone.
	again func(ctx context.Context, in input, sent url.Values, ask *rest, p *api.Problem) (view, error)
}

// form adds a form's address to the router.
func (d *Dashboard) form(r chi.Router, pattern string, f form) {
	r.Post(pattern, func(w http.ResponseWriter, r *http.Request) {
		in, err := inputOf(r)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		if err := readForm(w, r); err != nil {
			d.fail(w, r, err)
			return
		}
		next, err := f.do(r.Context(), in, r.PostForm, d.asker())
		if err == nil {
			http.Redirect(w, r, next, http.StatusSeeOther)
			return
		}
		d.refuseForm(w, r, f, in, err, next)
	})
}

// readForm reads what a page sent into r.PostForm.
func readForm(w http.ResponseWriter, r *http.Request) error {
	// Not every ResponseWriter has deadlines; the server's own has, and its other timeouts hold anyway.
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(formPatience))
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return api.NewProblem(api.KindSlowBody, "The form must come at once; nothing was done. Send it from its page.")
	case err != nil:
		return api.NewProblem(api.KindInvalidRequest, "The form can't be read, or is over 8 KiB; nothing was done. Send it from its page.")
	}
	_ = deadline.SetReadDeadline(time.Time{})
	return nil
}

// refuseForm answers a form that was not done.
func (d *Dashboard) refuseForm(w http.ResponseWriter, r *http.Request, f form, in input, err error, back string) {
	if !wantsPage(r) {
		api.Fail(w, r, err)
		return
	}
	problem := api.Describe(r.Context(), err)
	v := view{Title: problem.Title, Template: "refused", Data: refusal{problem, back}}
	if f.again != nil && problem.Status < http.StatusInternalServerError {
		if shown, err := f.again(r.Context(), in, r.PostForm, d.asker(), problem); err == nil {
			v = shown
		}
	}
	v.Status = problem.Status
	for name, values := range problem.GetHeaders() {
		w.Header()[name] = values
	}
	d.write(w, r, page{layout: "page"}, v)
}

// refusal is a problem, and where to go back to.
type refusal struct {
	*api.Problem
	Back string
}

// post sends something to an address of the API, and decodes the answer into value. A nil body is none. What the API refuses
// comes back as its *[api.Problem].
func (r *rest) post(ctx context.Context, address string, body, value any) error {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return fmt.Errorf("write the body for %s: %w", address, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(sent))
	if err != nil {
		return fmt.Errorf("send to %s: %w", address, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response := send(r.handler, request)
	if response.status >= http.StatusBadRequest {
		return response.problem()
	}
	if err := json.Unmarshal(response.body.Bytes(), value); err != nil {
		return fmt.Errorf("read the answer of %s: %w", address, err)
	}
	return nil
}
