package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// ProblemsPath is where the kinds of problems are explained; a problem's type is a path below it.
const ProblemsPath = "/problems"

// explained is what is told of one kind of problem.
type explained struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Means  string `json:"means"`
	Mend   string `json:"mend"`
}

func explainedOf(k Kind) explained {
	status, title := k.describe()
	means, mend := k.explain()
	return explained{Type: ProblemsPath + "/" + string(k), Title: title, Status: status, Means: means, Mend: mend}
}

// mountProblems adds a page for all kinds of problems and one for each: people follow the type of the problem they got.
func mountProblems(r chi.Router) {
	r.Get(ProblemsPath, func(w http.ResponseWriter, r *http.Request) {
		var all []explained
		for _, k := range Kinds() {
			all = append(all, explainedOf(k))
		}
		writeExplained(w, r, "Problems", all, map[string]any{"items": all})
	})
	r.Get(ProblemsPath+"/{kind}", func(w http.ResponseWriter, r *http.Request) {
		for _, k := range Kinds() {
			if string(k) == chi.URLParam(r, "kind") {
				one := explainedOf(k)
				writeExplained(w, r, one.Title, []explained{one}, one)
				return
			}
		}
		Fail(w, r, NewProblem(KindNotFound, "There is no such kind of problem; GET "+ProblemsPath+" lists all."))
	})
}

// writeExplained answers a browser with a page, and everybody else with JSON.
func writeExplained(w http.ResponseWriter, r *http.Request, heading string, list []explained, value any) {
	w.Header().Set("Vary", "Accept")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(value) // the client is gone: nobody is left to tell
		return
	}
	sum := sha256.Sum256([]byte(problemStyle))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; "+
		"form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
	_ = template.Must(template.New("problem").Parse(problemTemplate)).Execute(w, map[string]any{
		"Heading": heading, "List": list, "One": len(list) == 1, "Style": template.CSS(problemStyle), //nolint:gosec // our own constant
	})
}

const problemStyle = `body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}` +
	`dt{font-weight:600;margin-top:.75rem}dd{margin:0}code{font-size:.9em}h2{margin:2rem 0 0;font-size:1.1rem}`

const problemTemplate = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Heading}} · queuetrack</title>
<style>{{.Style}}</style>
</head>
<body>
<main>
<h1>{{.Heading}}</h1>
{{if not .One}}<p>What queuetrack answers when it can't answer as asked: the type of the problem, and how to mend the request.</p>
{{end}}{{range .List}}{{if not $.One}}<h2><a href="{{.Type}}">{{.Title}}</a></h2>
{{end}}<p><code>{{.Type}}</code>, HTTP status {{.Status}}</p>
<dl>
<dt>What it means</dt><dd>{{.Means}}</dd>
<dt>How to mend it</dt><dd>{{.Mend}}</dd>
</dl>
{{end}}</main>
<footer><p>{{if .One}}<a href="/problems">All problems</a> · {{end}}<a href="/docs">The API</a></p></footer>
</body>
</html>
`
