package query

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
)

// allowNull adds null to the words of properties that may be null: who lists the words must list it, too.
func allowNull(schemas huma.Registry) {
	for _, s := range schemas.Map() {
		for _, p := range s.Properties {
			if p.Nullable && len(p.Enum) > 0 {
				p.Enum = append(p.Enum, nil)
			}
		}
	}
}

// describeRest adds what is answered elsewhere, so that one document tells everything, and takes out the framework's
// own error, which is never sent.
func describeRest(oapi *huma.OpenAPI) {
	delete(oapi.Components.Schemas.Map(), "ErrorModel")
	delete(oapi.Components.Schemas.Map(), "ErrorDetail")
	allowNull(oapi.Components.Schemas)
	oapi.AddOperation(webhookOperation(oapi))
	oapi.AddOperation(healthOperation("livez", api.LivePath, "Whether the process lives", "Never touches the database: a process that can't reach it is not to be restarted for that.",
		map[string]*huma.Response{"200": jsonResponse("It does.", record([]property{{"status", word("Always ok: a process that does not live answers nothing.", "ok")}}))}))
	ready := healthOperation("readyz", api.ReadyPath, "Whether to send requests here",
		"Fails for the database, the schema and a shutdown. How far the projections are, dead letters and drift it only reports: a slow projector must not close the door to webhooks.",
		map[string]*huma.Response{
			"200": jsonResponse("Do.", readySchema("ready")),
			"503": jsonResponse("Not now; `checks` says why.", readySchema("unavailable")),
		})
	ready.Parameters = []*huma.Param{{
		Name: "verbose", In: "query", AllowEmptyValue: true, Description: "Adds each check, how far the projections are, and whether a rebuild is due, for those who may read; it takes no value.",
		Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{""}},
	}}
	oapi.AddOperation(ready)
	metrics := healthOperation("metrics", api.MetricsPath, "Metrics", "In the Prometheus text format. Names begin with `queuetrack_`; `_seconds` are seconds, `_total` only grow.",
		map[string]*huma.Response{
			"200": {Description: "All of them.", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}},
			"401": problem(oapi, "No API key that is good."),
		})
	metrics.Security = wants(api.ScopeRead)
	oapi.AddOperation(metrics)
}

func healthOperation(id, path, summary, details string, responses map[string]*huma.Response) *huma.Operation {
	return &huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{tagHealth},
		Summary: summary, Description: details, Responses: responses,
	}
}

func jsonResponse(description string, schema *huma.Schema) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// word is a schema of these words.
func word(description string, words ...string) *huma.Schema {
	s := described(huma.TypeString, description)
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

// readySchema describes the answer of /readyz. What is not in every answer is not required.
func readySchema(status string) *huma.Schema {
	s := record([]property{{"status", word("The outcome in a word.", status)}})
	s.Properties["checks"] = &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeString},
		Description: "What each check came to: ok, failed, not checked or shutting down. The log has the causes.",
	}
	drift := record([]property{
		{"generation", whole("The one that answers are read from.")},
		{"code", described(huma.TypeBoolean, "Another version folded it.")},
		{"settings", &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}, Description: "Sources that it was folded with other settings of."}},
		{"advice", described(huma.TypeString, "What to do about it.")},
	})
	drift.Description = "Only when a rebuild is due."
	s.Properties["drift"] = drift
	halted := maybe(huma.TypeString)
	halted.Description = "Why it stopped and needs a person; null: it runs."
	shard := record([]property{
		{"source", described(huma.TypeString, "The configured source.")},
		{"generation", whole("A whole set of read models; each rebuild makes the next one.")},
		{"state", described(huma.TypeString, "serving, building or previous.")},
		{"position", whole("Folded through.")},
		{"tail", whole("Of the log.")},
		{"lag_events", whole("Not folded yet.")},
		{"lag_seconds", described(huma.TypeNumber, "Age of the oldest event not folded yet.")},
		{"dead_letters", whole("Events that can't be folded.")},
		{"halted", halted},
	})
	shard.Properties["drift"] = &huma.Schema{Type: huma.TypeArray, Items: word("", "code", "settings"), Description: "What it was folded with and differs now."}
	s.Properties["projections"] = &huma.Schema{Type: huma.TypeArray, Items: shard, Description: "Each generation and source."}
	return s
}

// webhookOperation describes the door in.
func webhookOperation(oapi *huma.OpenAPI) *huma.Operation {
	one := 1.0
	answer := record([]property{{"status", word("accepted: kept, and about to be folded. duplicate: kept before. quarantined: kept aside, see /v1/quarantine. ping: a registration test, not kept.", "accepted", "duplicate", "quarantined", "ping")}})
	answer.Properties["position"] = &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &one, Description: "In the source's log; of the original for a duplicate. None for a ping."}
	op := &huma.Operation{
		OperationID: "webhook", Method: http.MethodPost, Path: "/webhooks/{source}", Tags: []string{tagWebhooks},
		Summary: "Deliver a webhook",
		Description: "For the vendor of the source. The signature is checked over the raw body before anything else; the answer comes after the commit, so who gets 200 may forget the webhook. " +
			"An authentic one is never refused for what it says: what can't be used is kept (`quarantined`).\n\n" +
			"Qminder signs its URL and the body (`X-Qminder-Signature`, HMAC-SHA256 in hex), SuperOffice the body (`X-SuperOffice-Signature`, in Base64), Ombori sends a static header. " +
			"`queuetrack send` signs as they do.",
		Parameters: []*huma.Param{{
			Name: "source", In: "path", Required: true, Description: "The source's name in the configuration.",
			Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[a-z0-9-]{1,40}$"},
		}},
		RequestBody: &huma.RequestBody{
			Required: true, Description: "The vendor's own JSON, at most 1 MiB.",
			Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}},
		},
		Responses: map[string]*huma.Response{"200": jsonResponse("Kept, known already, kept aside, or a registration test.", answer)},
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
