package api

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Scope is what an API key allows.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // every answer to a GET, but the bodies of deliveries
	ScopeAdmin Scope = "admin" // everything: what reads, what changes something, and the bodies
)

// ParseScope reads a scope's name.
func ParseScope(s string) (Scope, error) {
	switch scope := Scope(s); scope {
	case ScopeRead, ScopeAdmin:
		return scope, nil
	}
	return "", fmt.Errorf("scope %q: %s or %s", s, ScopeRead, ScopeAdmin)
}

// Caller is who sent a request, as far as that is asked for. The zero Caller may do nothing.
type Caller struct {
	KeyID  string // of the API key; empty where nobody has to show one
	Name   string // of the API key
	Scopes []Scope
}

// Anybody is the caller where no key is asked for: on an open loopback address, and with --auth=none.
func Anybody() Caller { return Caller{Scopes: []Scope{ScopeAdmin}} }

// May reports whether the caller has the scope. Admin includes read.
func (c Caller) May(s Scope) bool {
	return slices.Contains(c.Scopes, s) || slices.Contains(c.Scopes, ScopeAdmin)
}

// callerKey finds the caller in a request's context.
type callerKey struct{}

// WithCaller returns a context that says who sent its request.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns who sent the request of ctx. Where nobody has looked, that is the zero Caller.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// Unauthorized returns the problem of a request without a key that is good. Its bytes are always the same: it doesn't
// tell whether there is such a key.
func Unauthorized() *Problem {
	return NewProblem(KindUnauthorized, "Send an API key as Authorization: Bearer qt_…; 'queuetrack apikey create' makes one. "+
		"A key that was revoked, or mistyped, is answered the same.").With("WWW-Authenticate", "Bearer")
}

// Forbidden returns the problem of a caller whose key lacks a scope.
func Forbidden(missing Scope) *Problem {
	return NewProblem(KindForbidden, "This wants a key with the scope "+string(missing)+", and yours has not got it. "+
		"Whoever runs this server makes one with 'queuetrack apikey create NAME --scope "+string(missing)+"'.")
}

// TooManyRequests returns the problem of somebody who asks too often; after so long there is room for one more.
func TooManyRequests(detail string, after time.Duration) *Problem {
	return NewProblem(KindTooManyRequests, detail).With("Retry-After", strconv.Itoa(int(after/time.Second)+1))
}

// AccessUnknown returns the problem of a request that nobody can tell the right of, because the keys can't be read.
func AccessUnknown(cause error) error {
	return fmt.Errorf("%w: %w", NewProblem(KindUnavailable, "Whether you may ask for this can't be looked up just now. "+
		"Try again in a few seconds; /readyz says when the database is back.").With("Retry-After", "5"), cause)
}
