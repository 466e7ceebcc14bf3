package ingest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"queuetrack/api"
)

// checkForm refuses what is not a delivery, by its request line and headers alone.
func checkForm(r *http.Request) error {
	if r.Method != http.MethodPost {
		return reject(CauseMethod, api.MethodNotAllowed(http.MethodPost))
	}
	if !isJSON(r.Header["Content-Type"]) {
		return reject(CauseContentType, api.NewProblem(api.KindUnsupportedMediaType,
			"Send the body with one Content-Type header: application/json."))
	}
	if len(r.Header["Content-Encoding"]) > 0 {
		return reject(CauseEncoding, api.NewProblem(api.KindUnsupportedMediaType,
			"Send the body as it was signed, without any Content-Encoding."))
	}
	if r.ContentLength > MaxBody {
		return tooLarge()
	}
	return nil
}

// isJSON reports whether the one content type is application/json or another kind of JSON, whatever its parameters.
func isJSON(contentTypes []string) bool {
	if len(contentTypes) != 1 {
		return false
	}
	media, _, err := mime.ParseMediaType(contentTypes[0])
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

func tooLarge() error {
	return reject(CauseTooLarge, api.NewProblem(api.KindTooLarge, "A body is at most 1 MiB (1048576 bytes).").With("Connection", "close"))
}

// read returns the whole body, byte for byte, in memory of its own: the log keeps it.
func (d *door) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// Not every ResponseWriter has deadlines; the server's own has, and its other timeouts hold anyway.
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(d.cfg.ReadTimeout))
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(r.Body, MaxBody+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, reject(CauseSlow, api.NewProblem(api.KindSlowBody, "Send the whole body at once.").With("Connection", "close"))
	case err != nil:
		return nil, reject(CauseTruncated, api.NewProblem(api.KindIncompleteBody, "Send the whole body; nothing was kept.").With("Connection", "close"))
	case n > MaxBody:
		return nil, tooLarge()
	}
	_ = deadline.SetReadDeadline(time.Time{})
	return buf.Bytes(), nil
}
