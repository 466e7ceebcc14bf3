package ingest

import (
	"errors"
	"mime"
	"net/http"
	"strings"

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
	return reject(CauseTooLarge, api.NewProblem(api.KindTooLarge, "A body is at most 1 MiB (1048576 bytes)."))
}
