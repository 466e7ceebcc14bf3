package query

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
)

// The groups of operations in the documentation.
const (
	tagNow     = "Now"
	tagTickets = "Tickets"
	tagReports = "Reports"
	tagLog     = "Log"
	tagHealth  = "Operations"
	tagIngest  = "Webhooks"
)

const about = `What queuetrack knows: who is waiting now, how long people waited, and what happened to one ticket.

Instants (` + "`…_at`, `…_since`" + `) are RFC 3339 in UTC, durations (` + "`…_seconds`" + `) whole seconds, ids the vendors' own, as strings; what is not
known is null. Lists come as ` + "`{\"items\":[…],\"next\":…}`" + `: hand ` + "`next`" + ` back as ` + "`cursor`" + ` for the page after, with the same filters.
Statuses, transitions, outcomes and flags may grow: take an unknown one as "something else".
Answers that read projections carry ` + "`positions`" + `: how far each source's log was folded when they were computed. They are of one
moment, whatever is folded meanwhile. ` + "`min_position=city:184223`" + ` waits until that is in them, so that a webhook's answer can be followed up.

Every answer to a GET has a strong ` + "`ETag`" + `; with ` + "`If-None-Match`" + ` it is 304 as long as it holds, which for what is read from
projections costs one look at the positions. Answers that move with the clock are computed for steps of five seconds.

` + "`as_of`" + ` asks what was true at an instant, as known today; ` + "`as_of_position`" + ` what had been told by a position of the log.`

// humaConfig returns a configuration without the framework's own pages, links and validation answers.
func humaConfig(version string) huma.Config {
	cfg := huma.DefaultConfig("queuetrack", version)
	cfg.Info.Description = about
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil
	cfg.AllowAdditionalPropertiesByDefault = true // answers may grow
	cfg.Tags = []*huma.Tag{
		{Name: tagNow, Description: "Who is where, now or at any instant."},
		{Name: tagTickets, Description: "What happened to one ticket."},
		{Name: tagReports, Description: "How long people waited."},
		{Name: tagLog, Description: "What was received, and what became of it."},
		{Name: tagIngest, Description: "The door in, for vendors."},
		{Name: tagHealth, Description: "For whoever runs it."},
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
	}
	if o.method == http.MethodPost {
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
	tag := &huma.Param{Description: "Of exactly these bytes.", Schema: &huma.Schema{Type: huma.TypeString}}
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

// describeRest adds what is answered elsewhere, so that one document tells everything, and takes out the framework's
// own error, which is never sent.
func describeRest(oapi *huma.OpenAPI) {
	delete(oapi.Components.Schemas.Map(), "ErrorModel")
	delete(oapi.Components.Schemas.Map(), "ErrorDetail")
	oapi.AddOperation(webhookOperation(oapi))
	text := map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}
	object := map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}
	for _, o := range []struct {
		path, id, summary, details string
		content                    map[string]*huma.MediaType
		unready                    bool
	}{
		{"/livez", "livez", "Whether the process lives", "Never touches the database.", object, false},
		{"/readyz", "readyz", "Whether to send requests here", "Fails for the database, the schema and a shutdown. `?verbose` adds each check and how far the projections are.", object, true},
		{"/metrics", "metrics", "Metrics", "In the Prometheus text format.", text, false},
	} {
		op := &huma.Operation{
			OperationID: o.id, Method: http.MethodGet, Path: o.path, Tags: []string{tagHealth},
			Summary: o.summary, Description: o.details,
			Responses: map[string]*huma.Response{"200": {Description: "It does.", Content: o.content}},
		}
		if o.unready {
			op.Responses["503"] = &huma.Response{Description: "Not now.", Content: object}
		}
		oapi.AddOperation(op)
	}
}

// webhookOperation describes the door in.
func webhookOperation(oapi *huma.OpenAPI) *huma.Operation {
	one := 1.0
	answer := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"status"},
		Properties: map[string]*huma.Schema{
			"status":   {Type: huma.TypeString, Enum: []any{"accepted", "duplicate", "quarantined", "ping"}},
			"position": {Type: huma.TypeInteger, Format: "int64", Minimum: &one, Description: "In the source's log; of the original for a duplicate. None for a ping."},
		},
	}
	op := &huma.Operation{
		OperationID: "webhook", Method: http.MethodPost, Path: "/webhooks/{source}", Tags: []string{tagIngest},
		Summary:     "Deliver a webhook",
		Description: "For the vendor of the source. The signature is checked over the raw body before anything else; the answer comes after the commit.",
		Parameters: []*huma.Param{{
			Name: "source", In: "path", Required: true, Description: "The source's name in the configuration.",
			Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[a-z0-9-]{1,40}$"},
		}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{}}}},
		Responses: map[string]*huma.Response{"200": {
			Description: "Kept, known already, kept aside, or a registration test.",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: answer}},
		}},
	}
	for status, description := range map[string]string{
		"400": "The body ended early. Nothing was kept.",
		"401": "The signature or header is missing or wrong.",
		"404": "No such source.",
		"405": "Not a POST.",
		"408": "The body took too long. Nothing was kept.",
		"413": "The body is over 1 MiB.",
		"415": "Not a JSON content type, or any Content-Encoding.",
		"503": "Too much in flight, or the log can't be written now. Nothing was kept; try again after `Retry-After`.",
	} {
		op.Responses[status] = problem(oapi, description)
	}
	return op
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
