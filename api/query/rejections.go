package query

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/eventstore"
)

// rejection is one refused request on the wire.
type rejection struct {
	ReceivedAt *time.Time `json:"received_at" nullable:"false" doc:"By our clock."`
	Cause      string     `json:"cause" example:"signature" doc:"Why it was refused: method, content_type, encoding, too_large, truncated, slow, signature or busy. May grow."`
	Method     string     `json:"method" example:"POST" doc:"Cut at 16 bytes."`
	Headers    []string   `json:"headers" nullable:"false" doc:"The names of its headers, sorted, without repetitions: the first 40, each cut at 64 bytes, 1400 bytes in all. Values are never kept."`
	Digest     *string    `json:"digest" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the body, in hex; null: the body was not read whole."`
	Size       *int64     `json:"size" minimum:"0" doc:"Bytes of the body that were read; when it was refused before reading, what its Content-Length claims; null: it claims nothing."`
}

type rejectionsInput struct {
	Source string `path:"source" doc:"The source's name in the configuration."`
	Paged
}

func (d *Door) registerRejections(h huma.API) {
	get(d, h, operation{
		id: "list-rejections", path: "/v1/sources/{source}/rejections", tag: tagLog, resource: true,
		summary: "The latest requests to a source's webhook that were refused",
		details: "Newest first, at most 100 a source, at most a second old. They are samples: under many, each process keeps 20 a second. " +
			"`rejected` in /v1/sources counts all of them. Bodies, values of headers and addresses of clients are never kept.",
	}, d.listRejections)
}

// listRejections cuts the page out of the whole list, which is short.
func (d *Door) listRejections(ctx context.Context, in *rejectionsInput) (answer List[rejection], err error) {
	if err := d.requireSource(in.Source); err != nil {
		return answer, err
	}
	var p parser
	asked := p.page(ctx, in.Paged, 2)
	var after eventstore.Rejection
	if asked.after != nil {
		after = eventstore.Rejection{ReceivedAt: p.afterInstant(asked.after[0]), Number: p.afterPosition(asked, 0)}
	}
	if err := p.err(); err != nil {
		return answer, err
	}
	rows, err := d.log.Rejections(ctx, in.Source)
	if err != nil {
		return answer, err
	}
	if asked.after != nil {
		rows = slices.DeleteFunc(rows, func(r eventstore.Rejection) bool { return newestFirst(r, after) <= 0 })
	}
	rows, answer.Next = trim(rows, asked, func(r eventstore.Rejection) []string {
		return []string{decimal(r.ReceivedAt.UnixMicro()), decimal(r.Number)}
	})
	answer.Items = convert(rows, rejectionOf)
	return answer, nil
}

func newestFirst(a, b eventstore.Rejection) int {
	return cmp.Or(b.ReceivedAt.Compare(a.ReceivedAt), cmp.Compare(b.Number, a.Number))
}

func rejectionOf(r eventstore.Rejection) rejection {
	wire := rejection{ReceivedAt: at(r.ReceivedAt), Cause: r.Cause, Method: r.Method, Headers: words(r.Headers)}
	if r.Digest != nil {
		digest := hex.EncodeToString(r.Digest)
		wire.Digest = &digest
	}
	if r.Size >= 0 {
		wire.Size = &r.Size
	}
	return wire
}
