package ingest

import (
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"queuetrack/api"
	"queuetrack/eventstore"
)

// Cause is why a request to a configured source was refused, as counted and measured.
type Cause string

// The causes.
const (
	CauseMethod      Cause = "method"
	CauseContentType Cause = "content_type"
	CauseEncoding    Cause = "encoding"
	CauseTooLarge    Cause = "too_large"
	CauseTruncated   Cause = "truncated"
	CauseSlow        Cause = "slow"
	CauseSignature   Cause = "signature"
	CauseBusy        Cause = "busy"
)

// rejection is a refused request: nothing of it was kept.
type rejection struct {
	cause   Cause
	problem *api.Problem
}

func reject(c Cause, p *api.Problem) error { return &rejection{cause: c, problem: p} }

// Error implements error.
func (e *rejection) Error() string { return string(e.cause) + ": " + e.problem.Error() }

// Unwrap gives the answer.
func (e *rejection) Unwrap() error { return e.problem }

// Results that are measured and are no rejections of a source.
const (
	resultError   = "error"          // a failure of ours
	resultUnknown = "unknown_source" // belongs to no source: only the metric counts it
)

// note counts a rejected delivery and describes it for whoever looks for the cause: without its body, the values of
// its headers, or where it came from. The delivery still holds its room, so that no body lives outside of it.
func (d *door) note(r *http.Request, name string, in *delivery, err error) {
	var e *rejection
	if !errors.As(err, &e) {
		return
	}
	d.log.Reject(name, string(e.cause), func() eventstore.Rejection {
		described := eventstore.Rejection{
			ReceivedAt: d.cfg.Now().UTC(),
			Method:     r.Method,
			Headers:    slices.Collect(maps.Keys(r.Header)),
			Size:       in.size,
		}
		if in.whole {
			digest := sha256.Sum256(in.body)
			described.Digest = digest[:]
		}
		return described
	})
}

// refuse answers a request that was not kept, and returns its result for the metrics.
func refuse(w http.ResponseWriter, r *http.Request, err error) string {
	var e *rejection
	if !errors.As(err, &e) {
		api.Fail(w, r, err)
		return resultError
	}
	api.Annotate(r.Context(), slog.String("cause", string(e.cause)))
	if e.cause == CauseTooLarge {
		linger(w, r, func() { api.Fail(w, r, err) })
	} else {
		api.Fail(w, r, err)
	}
	return string(e.cause)
}

// How much more of a refused body is swallowed, and for how long.
const (
	lingerBytes = 32 << 20
	lingerTime  = time.Second
)

// linger answers first and then swallows some of the body that is still coming: a connection closed on a sender in
// the middle of its body would show it a reset instead of the answer.
func linger(w http.ResponseWriter, r *http.Request, answer func()) {
	c := http.NewResponseController(w)
	if c.EnableFullDuplex() != nil {
		answer()
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(lingerTime))
	answer()
	_ = c.Flush()
	_, _ = io.CopyN(io.Discard, r.Body, lingerBytes)
}
