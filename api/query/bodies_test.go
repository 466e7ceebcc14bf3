package query

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"queuetrack/api"
)

// askAs is ask by a caller with these scopes.
func (w *world) askAs(target string, scopes ...api.Scope) answer {
	r := httptest.NewRequestWithContext(api.WithCaller(w.t.Context(), api.Caller{Scopes: scopes}), http.MethodGet, target, nil)
	out := httptest.NewRecorder()
	w.router.ServeHTTP(out, r)
	return answer{out.Code, out.Header(), out.Body.String()}
}

// Bodies may hold what a visitor told, so they want admin.
func TestBodiesWantAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	if a := w.askAs("/v1/events?source=city&bodies=true", api.ScopeRead); a.status != 403 || !strings.Contains(a.body, "--scope admin") || strings.Contains(a.body, "Mari") {
		t.Errorf("with read: %d %s", a.status, a.body)
	}
	for _, target := range []string{"/v1/events?source=city", "/v1/events?source=city&bodies=false"} {
		if a := w.askAs(target, api.ScopeAdmin); a.status != 200 || strings.Contains(a.body, `"body"`) {
			t.Errorf("%s: %d %s", target, a.status, a.body)
		}
	}
	if a := w.askAs("/v1/events?source=city&bodies=yes", api.ScopeAdmin); a.status != 400 || !strings.Contains(a.body, "false, true") {
		t.Errorf("bodies=yes: %d %s", a.status, a.body)
	}
	// Page by page they are what was sent, byte for byte.
	var got []string
	for next := ""; ; {
		a := w.askAs("/v1/events?source=city&bodies=true&limit=4"+next, api.ScopeAdmin)
		var page struct {
			Items []struct{ Body []byte }
			Next  *string
		}
		if err := json.Unmarshal([]byte(a.body), &page); a.status != 200 || err != nil {
			t.Fatalf("answer %d %s: %v", a.status, a.body, err)
		}
		var whole map[string]any
		if err := json.Unmarshal([]byte(a.body), &whole); err != nil {
			t.Fatal(err)
		}
		w.conforms("/v1/events", whole)
		for _, item := range page.Items {
			got = append(got, string(item.Body))
		}
		if page.Next == nil {
			break
		}
		next = "&cursor=" + *page.Next
	}
	if want := morning(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("bodies\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A page that ends early for its bodies' size is not the last.
func TestPagesOfLargeBodiesGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var large []string
	for _, id := range []string{"1", "2", "3"} {
		large = append(large, `{"type":"unknown","data":{"id":"`+id+`","x":"`+strings.Repeat("x", 9<<20)+`"}}`)
	}
	w.deliver(large...)
	pages, next := 0, ""
	for {
		a := w.askAs("/v1/events?source=city&bodies=true"+next, api.ScopeAdmin)
		var page struct {
			Items []struct{ Body string }
			Next  *string
		}
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || len(page.Items) != 1 {
			t.Fatalf("answer %d with %d items: %v", a.status, len(page.Items), err)
		}
		if body, err := base64.StdEncoding.DecodeString(page.Items[0].Body); err != nil || string(body) != large[pages] {
			t.Errorf("body %d is another one: %v", pages, err)
		}
		if pages++; page.Next == nil {
			break
		}
		next = "&cursor=" + *page.Next
	}
	if pages != len(large) {
		t.Errorf("%d pages, want %d", pages, len(large))
	}
}
