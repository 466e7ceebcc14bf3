package dashboard

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"queuetrack/api"
)

// timed is a ResponseWriter that knows until when it may be read from.
type timed struct {
	http.ResponseWriter
	until time.Time
}

func (w *timed) SetReadDeadline(t time.Time) error {
	w.until = t
	return nil
}

// slowly is a body that never comes: it ends when the time is over, if there is one.
type slowly struct{ from *timed }

func (s slowly) Read([]byte) (int, error) {
	if left := time.Until(s.from.until); left <= 0 || left > formPatience {
		return 0, errors.New("it may take for ever")
	}
	return 0, os.ErrDeadlineExceeded
}

// Anybody may send the form to sign in: who takes minutes for it must not hold a connection for so long.
func TestAFormHasToComeAtOnce(t *testing.T) {
	t.Parallel()
	for want, body := range map[api.Kind]func(*timed) io.Reader{
		api.KindSlowBody:       func(w *timed) io.Reader { return slowly{w} },
		api.KindInvalidRequest: func(*timed) io.Reader { return strings.NewReader("key=" + strings.Repeat("x", maxForm)) },
		"":                     func(*timed) io.Reader { return strings.NewReader("key=x") },
	} {
		w := &timed{ResponseWriter: httptest.NewRecorder()}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login", body(w))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		err := readForm(w, r)
		switch {
		case want == "" && (err != nil || r.PostForm.Get("key") != "x" || !w.until.IsZero()):
			t.Errorf("a form: %v, %v; the deadline is %v", err, r.PostForm, w.until)
		case want != "" && !isProblem(err, want):
			t.Errorf("%v, want %s", err, want)
		}
	}
}
