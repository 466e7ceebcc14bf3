package api

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// Kind is a type of problem: the last part of its type URI, "/problems/<kind>".
type Kind string

// The kinds of problems.
const (
	KindInvalidRequest       Kind = "invalid-request"
	KindIncompleteBody       Kind = "incomplete-body"
	KindBadSignature         Kind = "bad-signature"
	KindUnauthorized         Kind = "unauthorized"
	KindForbidden            Kind = "forbidden"
	KindCrossOrigin          Kind = "cross-origin"
	KindForeignHost          Kind = "foreign-host"
	KindNotFound             Kind = "not-found"
	KindUnknownSource        Kind = "unknown-source"
	KindUnknownQueue         Kind = "unknown-queue"
	KindUnknownTicket        Kind = "unknown-ticket"
	KindUnknownEvent         Kind = "unknown-event"
	KindMethodNotAllowed     Kind = "method-not-allowed"
	KindSlowBody             Kind = "slow-body"
	KindTicketEnded          Kind = "ticket-ended"
	KindNotQuarantined       Kind = "not-quarantined"
	KindAlreadyRetried       Kind = "already-retried"
	KindStillUnusable        Kind = "still-unusable"
	KindNotDeadLetter        Kind = "not-a-dead-letter"
	KindWaitsBehind          Kind = "waits-behind"
	KindDismissed            Kind = "dismissed"
	KindNotNow               Kind = "not-now"
	KindPositionAhead        Kind = "position-ahead"
	KindRebuilding           Kind = "rebuilding"
	KindCannotRebuild        Kind = "cannot-rebuild"
	KindNoGeneration         Kind = "no-generation"
	KindTooLarge             Kind = "too-large"
	KindUnsupportedMediaType Kind = "unsupported-media-type"
	KindTooManyRequests      Kind = "too-many-requests"
	KindBusy                 Kind = "busy"
	KindNotFolded            Kind = "not-folded"
	KindOvertaken            Kind = "overtaken"
	KindTimeout              Kind = "timeout"
	KindUnavailable          Kind = "unavailable"
	KindInternal             Kind = "internal"
)

// describe returns what all problems of a kind have in common.
func (k Kind) describe() (status int, title string) {
	switch k {
	case KindInvalidRequest:
		return http.StatusBadRequest, "The request can't be understood"
	case KindIncompleteBody:
		return http.StatusBadRequest, "The body ended too early"
	case KindBadSignature:
		return http.StatusUnauthorized, "The signature does not verify"
	case KindUnauthorized:
		return http.StatusUnauthorized, "An API key is needed"
	case KindForbidden:
		return http.StatusForbidden, "The API key does not allow this"
	case KindCrossOrigin:
		return http.StatusForbidden, "A page of another site sent this"
	case KindForeignHost:
		return http.StatusForbidden, "This server is asked under a name that is not its own"
	case KindNotFound:
		return http.StatusNotFound, "Nothing is here"
	case KindUnknownSource:
		return http.StatusNotFound, "No such source"
	case KindUnknownQueue:
		return http.StatusNotFound, "No such queue"
	case KindUnknownTicket:
		return http.StatusNotFound, "No such ticket"
	case KindUnknownEvent:
		return http.StatusNotFound, "No such event"
	case KindMethodNotAllowed:
		return http.StatusMethodNotAllowed, "The method is not allowed here"
	case KindSlowBody:
		return http.StatusRequestTimeout, "The body took too long"
	case KindTicketEnded:
		return http.StatusConflict, "The ticket has ended"
	case KindNotQuarantined:
		return http.StatusConflict, "The event is not quarantined"
	case KindAlreadyRetried:
		return http.StatusConflict, "The event was retried already"
	case KindStillUnusable:
		return http.StatusConflict, "The event still can't be used"
	case KindNotDeadLetter:
		return http.StatusConflict, "The event is no dead letter"
	case KindWaitsBehind:
		return http.StatusConflict, "The event waits behind a dead letter"
	case KindDismissed:
		return http.StatusConflict, "The event was dismissed"
	case KindNotNow:
		return http.StatusConflict, "Not now"
	case KindPositionAhead:
		return http.StatusConflict, "The position is ahead of what is known"
	case KindRebuilding:
		return http.StatusConflict, "A rebuild is under way"
	case KindCannotRebuild:
		return http.StatusConflict, "A rebuild can't do that as things are"
	case KindNoGeneration:
		return http.StatusConflict, "There is no such generation"
	case KindTooLarge:
		return http.StatusRequestEntityTooLarge, "The body is too large"
	case KindUnsupportedMediaType:
		return http.StatusUnsupportedMediaType, "The body is not plain JSON"
	case KindTooManyRequests:
		return http.StatusTooManyRequests, "Too many requests"
	case KindBusy:
		return http.StatusServiceUnavailable, "Too busy just now"
	case KindNotFolded:
		return http.StatusServiceUnavailable, "That is not folded yet"
	case KindOvertaken:
		return http.StatusServiceUnavailable, "A rebuild overtook the answer"
	case KindTimeout:
		return http.StatusServiceUnavailable, "The answer took too long"
	case KindUnavailable:
		return http.StatusServiceUnavailable, "The database can't be reached"
	case KindInternal:
	}
	return http.StatusInternalServerError, "Something went wrong here"
}

// Problem is an answer that is not the one asked for, as RFC 9457 has it. It is an error, so that what goes wrong
// deep in a handler can say how it is to be answered.
type Problem struct {
	Type     string       `json:"type" format:"uri-reference" doc:"What kind of problem it is, relative to this server." example:"/problems/invalid-request"`
	Title    string       `json:"title" doc:"The kind of problem in words."`
	Status   int          `json:"status" doc:"The HTTP status."`
	Detail   string       `json:"detail,omitempty" doc:"What is wrong with this request, and how to mend it."`
	Instance string       `json:"instance,omitempty" doc:"The request's id, as in the X-Request-Id header and in the log."`
	Errors   []FieldError `json:"errors,omitempty" nullable:"false" doc:"Each thing that is wrong."`

	header http.Header
}

// FieldError is one thing that is wrong with a request.
type FieldError struct {
	Pointer string `json:"pointer" doc:"Where, as a JSON pointer into the request." example:"/query/limit"`
	Detail  string `json:"detail" doc:"What is wrong and what is allowed."`
}

// NewProblem returns a problem of a kind; detail says how to mend the request.
func NewProblem(k Kind, detail string) *Problem {
	status, title := k.describe()
	return &Problem{Type: "/problems/" + string(k), Title: title, Status: status, Detail: detail}
}

// Invalid returns the problem of a request with these mistakes; the first ones are also its detail.
func Invalid(errs ...FieldError) *Problem {
	details := make([]string, len(errs))
	for i, e := range errs {
		details[i] = e.Detail
	}
	p := NewProblem(KindInvalidRequest, strings.Join(details, " "))
	p.Errors = errs
	return p
}

// With adds a header to the answer and returns the problem.
func (p *Problem) With(name, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

// Error implements error.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// Is reports whether target is a problem of the same kind, so that errors.Is(err, NewProblem(KindBusy, "")) works.
func (p *Problem) Is(target error) bool {
	other, ok := target.(*Problem)
	return ok && other.Type == p.Type
}

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers that go with the answer.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType returns the media type of a problem.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// ProblemOf is the one table error → answer. What is not in it is a 500 that tells nothing.
func ProblemOf(err error) *Problem {
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, eventstore.ErrBusy):
		return Busy()
	case errors.Is(err, projection.ErrCleared):
		return NewProblem(KindOvertaken, "What was being read is dropped by now. Ask again: another generation serves.").With("Retry-After", "1")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), sqlState(err) == "57014":
		return NewProblem(KindTimeout, "Ask for less (a shorter window, fewer items), or try again later.").With("Retry-After", "5")
	case unreachable(err):
		return NewProblem(KindUnavailable, "Try again in a few seconds; /readyz says when it is back.").With("Retry-After", "5")
	}
	return NewProblem(KindInternal, "The cause is in the log of queuetrack, under this request's id.")
}

// Busy returns the problem of a request that came while too much was going on: nothing of it was kept.
func Busy() *Problem {
	return NewProblem(KindBusy, "Nothing was kept. Send it again after a second.").With("Retry-After", "1")
}

// sqlState returns the SQLSTATE of a database error, else "".
func sqlState(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}

// unreachable reports whether err means that the database is away, starting or full.
func unreachable(err error) bool {
	var n net.Error
	if errors.As(err, &n) {
		return true
	}
	s := sqlState(err)
	return strings.HasPrefix(s, "08") || strings.HasPrefix(s, "57P") || s == "53300"
}

// Fail answers the request with the problem of err. A cause that the answer hides goes to the request's log line.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	p := Describe(r.Context(), err)
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(p) // the client is gone: nobody is left to tell
}

// Describe returns the problem of err as the answer to the request of ctx, and notes a hidden cause for its log line.
func Describe(ctx context.Context, err error) *Problem {
	answer := *ProblemOf(err)
	if answer.Status >= http.StatusInternalServerError {
		note(ctx, err)
	}
	// A refused signature or key gets the same bytes whatever the request was: they must tell nothing.
	if answer.Status != http.StatusUnauthorized {
		answer.Instance = RequestID(ctx)
	}
	return &answer
}
