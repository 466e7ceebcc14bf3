package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"queuetrack/api/ingest"
)

// maxCaptured bounds a captured delivery in bytes: what the server would take, head and body.
const maxCaptured = maxHeaderBytes + ingest.MaxBody

// captured is an HTTP request as it came over the wire, written down.
type captured struct {
	method string
	target *url.URL // as the request line has it: mostly without scheme and host
	header http.Header
	body   []byte // byte for byte; no longer in chunks
	chunks bool   // that it was written down in
}

// parseCaptured reads a request line, headers, an empty line, and the rest as the body. Lines of the head may end in CRLF
// or LF. An error names the line and quotes nothing: a header may be the secret.
func parseCaptured(raw []byte) (captured, error) {
	line, rest, _ := headLine(raw)
	c := captured{header: http.Header{}}
	if err := c.requestLine(line); err != nil {
		return captured{}, err
	}
	for n, more := 2, true; ; n++ {
		if line, rest, more = headLine(rest); !more {
			return captured{}, fmt.Errorf("line %d: the head does not end: an empty line stands between headers and body", n)
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !ok || !headerName.MatchString(name) || strings.ContainsFunc(value, isControl) {
			return captured{}, fmt.Errorf("line %d: no header; write NAME: VALUE, and an empty line before the body", n)
		}
		c.header.Add(name, value)
	}
	c.takeBody(rest)
	return c, nil
}

// isControl reports what no header's value can hold.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// headLine cuts the first line off; more tells whether its end was there.
func headLine(raw []byte) (line string, rest []byte, more bool) {
	before, rest, more := bytes.Cut(raw, []byte("\n"))
	return string(bytes.TrimSuffix(before, []byte("\r"))), rest, more
}

func (c *captured) requestLine(line string) error {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !headerName.MatchString(parts[0]) || !strings.HasPrefix(parts[2], "HTTP/") {
		return fmt.Errorf("line 1: no request line, as POST /webhooks/NAME HTTP/1.1")
	}
	target, err := url.ParseRequestURI(parts[1])
	if err != nil {
		return fmt.Errorf("line 1: the request's target can't be read")
	}
	c.method, c.target = parts[0], target
	return nil
}

// takeBody takes the body out of its chunks where the capture still has them; most proxies write it down without.
func (c *captured) takeBody(body []byte) {
	c.body = body
	if !strings.EqualFold(c.header.Get("Transfer-Encoding"), "chunked") {
		return
	}
	if whole, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(body))); err == nil {
		c.body, c.chunks = whole, true
	}
}

// sourceName is the source that the path names; empty when it names none.
func (c captured) sourceName() string {
	path := strings.TrimSuffix(c.target.Path, "/")
	i := strings.LastIndex(path, ingest.Prefix)
	if i < 0 {
		return ""
	}
	return path[i+len(ingest.Prefix):]
}
