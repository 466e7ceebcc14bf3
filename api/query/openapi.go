package query

import (
	"cmp"
	"context"
	_ "embed" // about
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
)

// The groups of operations in the documentation, in the order of who comes new: the three jobs, then what stands behind.
const (
	tagQueues      = "Queues"
	tagReports     = "Reports"
	tagProjections = "Projections"
	tagTickets     = "Tickets"
	tagLog         = "Log"
	tagRepairs     = "Repairs"
	tagWebhooks    = "Webhooks"
	tagHealth      = "Operations"
)

// about opens the documentation.
//
//go:embed docs/about.md
var about string

// keyScheme names the API keys in the document.
const keyScheme = "key"

// wants says which scope an operation asks for.
func wants(s api.Scope) []map[string][]string { return []map[string][]string{{keyScheme: {string(s)}}} }

// humaConfig returns a configuration without the framework's own pages, links and validation answers.
func humaConfig(version string) huma.Config {
	cfg := huma.DefaultConfig("queuetrack", version)
	cfg.Info.Description = about
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil
	cfg.AllowAdditionalPropertiesByDefault = true // answers may grow
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{keyScheme: {
		Type: "http", Scheme: "bearer", Description: "An API key, `qt_…`, as `queuetrack apikey create` prints it. A browser that signed in sends a cookie instead.",
	}}
	cfg.Tags = []*huma.Tag{
		{Name: tagQueues, Description: "Who is where, now, at any instant, or as it changes."},
		{Name: tagReports, Description: "How long people waited, and how good the estimates were."},
		{Name: tagProjections, Description: "How far the read models are, and folding them anew from the log."},
		{Name: tagTickets, Description: "What happened to one ticket."},
		{Name: tagLog, Description: "What was received, kept and refused."},
		{Name: tagRepairs, Description: "Webhooks that can't be used (quarantine) or can't be folded (dead letters), and what to do about them."},
		{Name: tagWebhooks, Description: "The door in, for vendors."},
		{Name: tagHealth, Description: "For whoever runs it, and for machines."},
	}
	return cfg
}

// operation is one request that the door answers.
type operation struct {
	id, path, tag    string
	summary, details string
	resource         bool // the path names something that may not exist: 404

	method   string            // empty: GET
	body     *huma.RequestBody // of a POST; nil: it takes none
	problems map[string]string // by status: those that not every operation has
}

// get registers an operation whose answer is a value.
func get[I, B any](d *Door, h huma.API, o operation, handle func(context.Context, *I) (B, error)) {
	if o.method != http.MethodPost {
		register(d, h, o, func(ctx context.Context, in *I) (*content, error) {
			body, err := handle(ctx, in)
			return replyJSON(ctx, body, err)
		}, answers(h.OpenAPI(), typeOf[B]()))
		return
	}
	type output struct{ Body B }
	register(d, h, o, func(ctx context.Context, in *I) (*output, error) {
		body, err := handle(ctx, in)
		return &output{Body: body}, err
	}, nil)
}

// answers describes the answer that is a value.
func answers(oapi *huma.OpenAPI, value reflect.Type) *huma.Response {
	return &huma.Response{
		Description: "OK",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: oapi.Components.Schemas.Schema(value, true, "")}},
	}
}

// register registers an operation: every error becomes a problem, and no answer takes longer than the timeout.
// Parameters are documented to the framework and parsed by us, so that every mistake is told in one voice.
func register[I, O any](d *Door, h huma.API, o operation, handle func(context.Context, *I) (*O, error), ok *huma.Response) {
	op := huma.Operation{
		OperationID: o.id, Method: cmp.Or(o.method, http.MethodGet), Path: o.path, Tags: []string{o.tag},
		Summary: o.summary, Description: o.details,
		SkipValidateParams: true,
		RequestBody:        o.body,
		Responses:          responses(h.OpenAPI(), o),
		Security:           wants(api.ScopeRead),
	}
	if o.method == http.MethodPost {
		op.Security = wants(api.ScopeAdmin)
		op.Middlewares = huma.Middlewares{takeBody}
	}
	if ok != nil {
		op.Responses["200"] = ok
		describeTag(&op)
	}
	huma.Register(h, op, func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
		defer cancel()
		out, err := handle(ctx, in)
		if err != nil {
			return nil, api.Describe(ctx, err)
		}
		return out, nil
	})
}

// describeTag tells how to ask whether an answer still holds.
func describeTag(op *huma.Operation) {
	tag := &huma.Param{Description: "Stands for exactly these bytes; send it back as If-None-Match.", Schema: &huma.Schema{Type: huma.TypeString}}
	op.Responses["200"].Headers = map[string]*huma.Param{"ETag": tag}
	op.Responses["304"] = &huma.Response{Description: "The answer of that ETag still holds.", Headers: map[string]*huma.Param{"ETag": tag}}
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "If-None-Match", In: "header", Description: "ETags of answers at hand, or *.", Schema: &huma.Schema{Type: huma.TypeString},
	})
}

// responses describe the problems that an operation may answer with.
func responses(oapi *huma.OpenAPI, o operation) map[string]*huma.Response {
	described := map[string]*huma.Response{
		"400": problem(oapi, "The request is wrong; `errors` names each mistake and what is allowed."),
		"401": problem(oapi, "No API key that is good. Always the same bytes."),
		"403": problem(oapi, "The key lacks the scope that `detail` names; or, on a loopback address, another name than this machine's was asked for."),
		"429": problem(oapi, "The key has sent more than it may, or your address too many wrong keys. Go on after `Retry-After`."),
		"500": problem(oapi, "Our fault. The log has the cause under the `instance`."),
		"503": problem(oapi, "Busy, too slow, not folded as far as asked, or without its database. Try again after `Retry-After`."),
	}
	for status, description := range o.problems {
		described[status] = problem(oapi, description)
	}
	if o.resource {
		described["404"] = problem(oapi, "What the path names does not exist.")
	}
	return described
}

func problem(oapi *huma.OpenAPI, description string) *huma.Response {
	schema := oapi.Components.Schemas.Schema(reflect.TypeFor[api.Problem](), true, "Problem")
	return &huma.Response{
		Description: description,
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}
}

// parameters are the names of an operation's query parameters, sorted.
func parameters(op *huma.Operation) []string {
	var list []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			list = append(list, p.Name)
		}
	}
	slices.Sort(list)
	return list
}
