package query

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore"
)

var rejectionFields = strings.Fields("received_at cause method headers digest size")

// refuse notes rejections of city and writes them down.
func (w *world) refuse(all ...eventstore.Rejection) {
	w.t.Helper()
	for _, r := range all {
		w.log.Reject("city", r.Cause, func() eventstore.Rejection { return r })
	}
	ended, end := context.WithCancel(w.t.Context())
	end()
	if err := w.log.Run(ended); err != nil { // writes once, and returns
		w.t.Fatal(err)
	}
}

func TestRejectionsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	digest := sha256.Sum256([]byte("a body"))
	w.refuse(
		eventstore.Rejection{ReceivedAt: noon, Cause: "signature", Method: "POST", Headers: []string{"X-Qminder-Signature", "Content-Type"}, Digest: digest[:], Size: 6},
		eventstore.Rejection{ReceivedAt: noon.Add(time.Second), Cause: "too_large", Method: "POST", Size: -1},
		eventstore.Rejection{ReceivedAt: noon.Add(-time.Second), Cause: "method", Method: "GET", Headers: []string{"bad\x00\xffname"}},
	)
	v := w.get("/v1/sources/city/rejections")
	hasExactly(t, "the list", v, strings.Fields("items next"))
	list := items(t, v)
	if len(list) != 3 {
		t.Fatalf("%d rejections, want 3: %v", len(list), list)
	}
	hasExactly(t, "a rejection", list[0], rejectionFields)
	want := []map[string]any{
		{"received_at": "2026-11-20T12:00:01Z", "cause": "too_large", "method": "POST", "headers": []any{}, "digest": nil, "size": nil},
		{
			"received_at": "2026-11-20T12:00:00Z", "cause": "signature", "method": "POST",
			"headers": []any{"Content-Type", "X-Qminder-Signature"}, "digest": hex.EncodeToString(digest[:]), "size": 6.0,
		},
		{"received_at": "2026-11-20T11:59:59Z", "cause": "method", "method": "GET", "headers": []any{"bad\ufffd\ufffdname"}, "digest": nil, "size": 0.0},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("rejections (-want +got):\n%s", diff)
	}
	if got := items(t, w.get("/v1/sources/store/rejections")); len(got) != 0 {
		t.Errorf("another source's rejections: %v", got)
	}
}

func TestRejectionsComeInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 7 { // some of the same instant
		w.refuse(eventstore.Rejection{ReceivedAt: noon.Add(time.Duration(i/3) * time.Second), Cause: fmt.Sprint("cause ", i), Method: "POST"})
	}
	var got []string
	for target := "/v1/sources/city/rejections?limit=2"; target != ""; {
		v := w.get(target)
		for _, item := range items(t, v) {
			got = append(got, item["cause"].(string))
		}
		target = ""
		if next, ok := v["next"].(string); ok {
			target = "/v1/sources/city/rejections?limit=2&cursor=" + next
			w.refuse(eventstore.Rejection{ReceivedAt: noon.Add(time.Hour), Cause: "meanwhile", Method: "POST"})
		}
	}
	if diff := cmp.Diff(strings.Fields("6 5 4 3 2 1 0"), strings.Fields(strings.ReplaceAll(strings.Join(got, " "), "cause ", ""))); diff != "" {
		t.Errorf("in pages (-want +got):\n%s", diff)
	}
}

func TestRejectionsRefuseWhatTheyDontKnow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for target, want := range map[string]struct {
		status int
		kind   string
	}{
		"/v1/sources/elsewhere/rejections":           {404, "unknown-source"},
		"/v1/sources/city/rejections?colour=red":     {400, "invalid-request"},
		"/v1/sources/city/rejections?limit=0":        {400, "invalid-request"},
		"/v1/sources/city/rejections?cursor=made-up": {400, "invalid-request"},
		"/v1/sources/city%00/rejections":             {400, "invalid-request"},
	} {
		a := w.ask(http.MethodGet, target)
		if p := problemOf(t, a); a.status != want.status || p.Type != "/problems/"+want.kind {
			t.Errorf("%s: %d %s, want %d %s", target, a.status, p.Type, want.status, want.kind)
		}
	}
}
