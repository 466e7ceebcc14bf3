package query

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
)

const streamPath = "/v1/stream"

const streamDetails = "Server-sent events, as a browser's EventSource reads them:\n\n" +
	"- `ticket`: a ticket that changed, as it is now: the answer of `/v1/tickets/{source}/{ticket}`.\n" +
	"- `queue`: a queue that a changed ticket was in or is in: an item of `/v1/queues`.\n" +
	"- `heartbeat`: at the beginning, every 15 seconds, and when another generation of the read models begins to serve: " +
	"`{\"positions\":{…},\"generation\":0}`. With another `generation`, tickets may be told otherwise than before: read again what you show.\n\n" +
	"Without an id the stream begins at the present. `id` is a vector as `city:184223,store:91`: what happened up to there has been sent. " +
	"Who comes back with it, and the same filters, misses nothing; a source that it leaves out begins at the present, and `city:0` sends everything. " +
	"Each message is a present state, so getting one twice does no harm. Messages of one step come together, and the last one has the id.\n\n" +
	"With `queue`, a ticket that has left the queue is sent too: its `queue` or `status` tells. " +
	"What moves with the clock (waits, midnight) sends nothing. Who reads too slowly is hung up on."

// describeStream adds the stream, which the framework doesn't answer, to the document.
func describeStream(oapi *huma.OpenAPI) {
	text := &huma.Schema{Type: huma.TypeString}
	param := func(name, in, description string) *huma.Param {
		return &huma.Param{Name: name, In: in, Description: description, Schema: text}
	}
	op := &huma.Operation{
		OperationID: "stream", Method: http.MethodGet, Path: streamPath, Tags: []string{tagQueues},
		Summary: "What changes, as it changes", Description: streamDetails,
		Parameters: []*huma.Param{
			param("source", "query", "Only this source."),
			param("queue", "query", "Only this queue, and tickets that are or were in it: the vendor's id."),
			param(paramLastEventID, "query", "Where to go on, for clients that can't set the header."),
			param(headerLastEventID, "header", "Where to go on: the last id received. Goes before the parameter."),
		},
		Security: wants(api.ScopeRead),
		Responses: responses(oapi, operation{problems: map[string]string{
			"405": "Not a GET.",
			"409": "The id is ahead of what is folded: of another database, or a backup was restored. Begin anew without one.",
		}}),
	}
	op.Responses["200"] = &huma.Response{
		Description: "The events, for as long as the client reads.",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: text}},
	}
	oapi.AddOperation(op)
}
