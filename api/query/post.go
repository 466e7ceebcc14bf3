package query

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"queuetrack/api"
)

// Bounds of a POST's body.
const (
	maxPostBody  = 4 << 10
	postPatience = 5 * time.Second
)

// registerPosts registers what an operator may do.
func (d *Door) registerPosts(h huma.API) {
	d.registerRetry(h)
	d.registerRevivals(h)
	d.registerClose(h)
	if d.cfg.Rebuilds != nil {
		d.registerRebuild(h)
	}
}

// withPostProblems adds the problems that any POST may answer with.
func withPostProblems(own map[string]string) map[string]string {
	all := map[string]string{
		"403": "The key lacks the scope `admin`; or a page of another site sent it, or it was sent to a name that is not this machine's.",
		"408": "The body took too long. Nothing was done.",
		"413": "The body is over 4 KiB.",
		"415": "The body is not JSON, or has a Content-Encoding.",
	}
	maps.Copy(all, own)
	return all
}

// bodyKey finds a POST's body in its context.
type bodyKey struct{}

// takeBody reads a POST's body, whole and bounded, before its handler runs.
func takeBody(ctx huma.Context, next func(huma.Context)) {
	r, w := humachi.Unwrap(ctx)
	body, err := readBody(w, r)
	if err != nil {
		api.Fail(w, r, err)
		return
	}
	next(huma.WithValue(ctx, bodyKey{}, body))
}

// readBody returns a small JSON body; nil when there is none.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if len(r.Header["Content-Encoding"]) > 0 {
		return nil, api.NewProblem(api.KindUnsupportedMediaType, "Send the body without any Content-Encoding.")
	}
	// Not every ResponseWriter has deadlines; the server's own has, and its other timeouts hold anyway.
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(postPatience))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPostBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, api.NewProblem(api.KindTooLarge, "A body is at most 4 KiB (4096 bytes).")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, api.NewProblem(api.KindSlowBody, "Send the whole body at once.")
	case err != nil:
		return nil, api.NewProblem(api.KindIncompleteBody, "Send the whole body; nothing was done.")
	}
	_ = deadline.SetReadDeadline(time.Time{})
	if len(body) == 0 {
		return nil, nil
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, api.NewProblem(api.KindUnsupportedMediaType, "Send the body with the Content-Type application/json.")
	}
	return body, nil
}

func bodyOf(ctx context.Context) []byte {
	body, _ := ctx.Value(bodyKey{}).([]byte)
	return body
}

// noBody refuses a body where none is taken: what is in it would be passed over.
func noBody(ctx context.Context) error {
	if len(bodyOf(ctx)) == 0 {
		return nil
	}
	return wrongBody("", "This request takes no body: send it without one, with curl as curl -X POST.")
}

// decodeBody reads a JSON object into v, and refuses what v does not know. No body leaves v as it is. example is a right one.
func decodeBody(ctx context.Context, v any, example string) error {
	body := bytes.TrimSpace(bodyOf(ctx))
	if len(body) == 0 {
		return nil
	}
	if body[0] != '{' || !json.Valid(body) || !text(string(body)) {
		return wrongBody("", "The body is not a JSON object; send none, or one as "+example+".")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return wrongBody("/"+wrong.Field, wrong.Field+" is a "+wrong.Value+"; it must be a "+wrong.Type.String()+".")
		}
		return wrongBody("", "The body has a key that there is not ("+strings.TrimPrefix(err.Error(), "json: ")+"); send none, or one as "+example+".")
	}
	return nil
}

func wrongBody(pointer, detail string) error {
	return api.Invalid(api.FieldError{Pointer: "/body" + pointer, Detail: detail})
}
