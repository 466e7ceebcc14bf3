package query

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// exchange is a request and its answer, as far as those who keep answers are concerned. It belongs to the request's own
// goroutine.
type exchange struct {
	request string // the path and the parameters that choose the answer, in one form
	accept  string
	known   known

	format string // of the answer, where there is a choice
	vary   string // the header that chose it
	tag    string // of the answer, with its quotes; empty: not made yet
}

// exchangeKey finds it in a request's context.
type exchangeKey struct{}

// exchangeOf is never nil: what asks from within this process keeps no answers.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// errNotModified means that the client has the answer already.
var errNotModified = errors.New("not modified")

// content is an answer whose bytes are ready.
type content struct{ Body func(huma.Context) }

// reply puts the answer's tag beside it, or in its place. err is the handler's.
func reply(ctx context.Context, err error, write func(huma.Context)) (*content, error) {
	if errors.Is(err, errNotModified) {
		write = func(c huma.Context) { c.SetStatus(http.StatusNotModified) }
	} else if err != nil {
		return nil, err
	}
	x := exchangeOf(ctx)
	return &content{Body: func(c huma.Context) {
		tagged(c, x)
		write(c)
	}}, nil
}

// tagged sets the headers for those who keep the answer.
func tagged(c huma.Context, x *exchange) {
	c.SetHeader("ETag", x.tag)
	// Kept by whoever asked, and never used without asking whether it still holds.
	c.SetHeader("Cache-Control", "private, no-cache")
	if x.vary != "" {
		c.SetHeader("Vary", x.vary)
	}
}

// replyJSON answers with a value. One that was not read from projections alone has its own bytes for a tag.
func replyJSON(ctx context.Context, value any, err error) (*content, error) {
	var body bytes.Buffer
	if err == nil {
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(value)
	}
	if x := exchangeOf(ctx); err == nil && x.tag == "" {
		x.tag = tagOf(body.Bytes())
		if x.known.has(x.tag) || x.known.any {
			err = errNotModified
		}
	}
	return reply(ctx, err, func(c huma.Context) {
		c.SetHeader("Content-Type", "application/json")
		c.SetStatus(http.StatusOK)
		_, _ = c.BodyWriter().Write(body.Bytes()) // the client is gone: nobody is left to tell
	})
}

// tagOf makes a strong tag.
func tagOf(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}

// known is what an If-None-Match says: the tags of the answers that the client has.
type known struct {
	any  bool // "*": whatever there is
	tags []string
}

// has compares as RFC 9110 wants it here: weakly, so a cache that had to weaken a tag may still ask with it.
func (k known) has(tag string) bool {
	for _, t := range k.tags {
		if t == tag {
			return true
		}
	}
	return false
}

// readKnown reads an If-None-Match, all its lines joined. What is not a list of tags says nothing from there on: the
// client gets the answer, which is never wrong.
func readKnown(header string) (k known) {
	for rest := strings.Trim(header, " \t"); rest != ""; {
		if rest == "*" {
			k.any = len(k.tags) == 0
			return k
		}
		opaque, quoted := strings.CutPrefix(strings.TrimPrefix(rest, "W/"), `"`)
		opaque, after, ended := strings.Cut(opaque, `"`)
		if !quoted || !ended {
			return k
		}
		k.tags, rest = append(k.tags, `"`+opaque+`"`), strings.TrimLeft(after, " \t")
		if rest != "" && rest[0] != ',' {
			return k
		}
		rest = strings.TrimLeft(rest, ", \t")
	}
	return k
}

// digestOf stands for all that decides an answer besides the request and the read models: this binary and what it was
// told of the sources.
func digestOf(cfg Config, sources map[string]SourceInfo) string {
	type told struct {
		SourceInfo
		Zone string
	}
	all := map[string]told{}
	for name, s := range sources {
		all[name] = told{s, s.Zone.String()}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return tagOf(fmt.Appendf(nil, "%q %q %s", cfg.Build, cfg.Version, text))
}
