package dashboard

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"queuetrack/api"
)

// page is something to look at: how it is loaded, and what is around it.
type page struct {
	load    func(ctx context.Context, in input, ask *rest) (view, error)
	pattern string   // of its address
	layout  string   // the template of the whole document; empty: "page"
	live    bool     // it changes while one looks at it
	query   []string // the parameters that choose what a live page shows; it knows no others
	public  bool     // everybody may see it
}

// input is what a page is asked for.
type input struct {
	path  map[string]string // the parts of the address that have names
	query url.Values

	// Who asks, and how: nothing that is the same for all who look at a live page may go by these.
	origin   string // of the address
	signedIn bool
}

// only is the input with no other parameters than these.
func (in input) only(names []string) input {
	chosen := url.Values{}
	for _, name := range names {
		if value := in.query.Get(name); value != "" {
			chosen.Set(name, value)
		}
	}
	return input{path: in.path, query: chosen}
}

// view is a page with all that it shows.
type view struct {
	Title    string
	Section  string // of the navigation
	Template string // of what is inside <main>
	Data     any
	Status   int // 0: 200
	Header   http.Header
}

// policy lets a page load and run what this server has, and nothing else: no inline script or style, no frame, no form that
// goes elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

//go:embed templates
var templateFiles embed.FS

// parseTemplates reads our own files: what is wrong with them is found by the first test.
func parseTemplates() *template.Template {
	return template.Must(template.New("").Funcs(functions).ParseFS(templateFiles, "templates/*.gohtml"))
}

// page adds a page's address to the router.
func (d *Dashboard) page(r chi.Router, pattern string, p page) {
	if p.pattern = pattern; p.layout == "" {
		p.layout = "page"
	}
	r.Get(pattern, func(w http.ResponseWriter, r *http.Request) {
		in, err := inputOf(r)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		// The same address is a page or a stream, by what is asked for.
		w.Header().Set("Vary", "Accept")
		if p.live && r.Method == http.MethodGet && r.Header.Get("Accept") == eventStream { // to a HEAD nothing can be sent
			d.watch(w, r, p, in)
			return
		}
		in.origin, in.signedIn = originOf(r), d.signedIn(r)
		v, err := d.see(r.Context(), p, in)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		d.write(w, r, p, v)
	})
}

func inputOf(r *http.Request) (input, error) {
	in := input{path: map[string]string{}}
	names := chi.RouteContext(r.Context()).URLParams
	for i, key := range names.Keys {
		in.path[key] = names.Values[i]
		if r.URL.RawPath == "" { // then the router has gone by what is decoded already
			continue
		}
		var err error
		if in.path[key], err = url.PathUnescape(names.Values[i]); err != nil {
			return in, api.NewProblem(api.KindNotFound, "The address is not well percent-encoded.")
		}
	}
	var err error
	if in.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return in, api.NewProblem(api.KindInvalidRequest, "The query is not a list of name=value joined by & with percent-encoding.")
	}
	return in, nil
}

// originOf is the beginning of the address under which the request came, as far as it can be known: it is only shown.
func originOf(r *http.Request) string {
	if api.ClientOf(r.Context()).TLS {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// document is a whole page, for its layout's template.
type document struct {
	*canvas
	view
	Live       bool
	CanSignOut bool
	Build      string
	Main       template.HTML
}

// write answers with a page.
func (d *Dashboard) write(w http.ResponseWriter, r *http.Request, p page, v view) {
	doc := document{canvas: &canvas{templates: d.templates}, view: v, Live: p.live, Build: d.cfg.Build, CanSignOut: d.signedIn(r)}
	var out bytes.Buffer
	main, err := doc.main(v)
	if err == nil {
		doc.Main = main
		err = d.templates.ExecuteTemplate(&out, p.layout, doc)
	}
	if err != nil {
		api.Fail(w, r, fmt.Errorf("write the page %s: %w", v.Template, err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	// With "no-referrer" a browser sends a form with "Origin: null", and over plain HTTP nothing else tells whose page it is.
	h.Set("Referrer-Policy", "same-origin")
	for name, values := range v.Header {
		h[name] = values
	}
	if v.Status != 0 {
		w.WriteHeader(v.Status)
	}
	_, _ = w.Write(out.Bytes()) // the client is gone: nobody is left to tell
}

// fail answers with a page that says what is wrong. Whoever wants no page gets the problem itself.
func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, err error) {
	if !wantsPage(r) {
		api.Fail(w, r, err)
		return
	}
	problem := api.Describe(r.Context(), err)
	d.write(w, r, page{layout: "page"}, view{
		Title: problem.Title, Template: "problem", Data: problem, Status: problem.Status, Header: problem.GetHeaders(),
	})
}

// isProblem reports whether err is a problem of the kind.
func isProblem(err error, k api.Kind) bool { return errors.Is(err, api.NewProblem(k, "")) }

// canvas draws the templates of one page, and notes those parts of it that may change by themselves.
type canvas struct {
	templates *template.Template
	outline   bool // leave a mark where a part would be
	parts     []part
}

// part is an element with an id.
type part struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// main draws what is inside <main>.
func (c *canvas) main(v view) (template.HTML, error) {
	var out bytes.Buffer
	err := c.templates.ExecuteTemplate(&out, v.Template, struct {
		*canvas
		Data any
	}{c, v.Data})
	return template.HTML(out.String()), err // html/template wrote it
}

// Part draws a part: an element whose id is the one given, by a template.
func (c *canvas) Part(id, name string, data any) (template.HTML, error) {
	var out bytes.Buffer
	if err := c.templates.ExecuteTemplate(&out, name, data); err != nil {
		return "", err
	}
	c.parts = append(c.parts, part{id, out.String()})
	if c.outline {
		return template.HTML(mark(id)), nil // of no letter that HTML has
	}
	return template.HTML(out.String()), nil // html/template wrote it
}

// mark stands for a part in an outline.
func mark(id string) string { return "\x00" + id + "\x00" }
