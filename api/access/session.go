package access

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"queuetrack/api"
)

// SessionLength is how long a sign-in lasts.
const SessionLength = 12 * time.Hour

// The cookie of a sign-in. Over TLS its name has the browser promise that it came over TLS, from this host and no other
// of its domain.
const (
	cookieOverTLS = "__Host-qt"
	cookiePlain   = "qt"
)

// SignIn returns the cookie of a session of the key, for the browser that sent r. Its error is a *[api.Problem]: the key
// isn't good, or the client has tried too often, or nobody can tell just now.
func (g *Guard) SignIn(ctx context.Context, r *http.Request, key string) (*http.Cookie, error) {
	key = strings.TrimSpace(key)
	known, err := g.verify(ctx, api.ClientOf(r.Context()), key)
	if err != nil {
		return nil, err
	}
	api.Annotate(r.Context(), keyAttr(known.ID))
	g.keys.touch(known.ID)
	c := cookie(r)
	c.Value = newSession(known.ID, key, g.now().Add(SessionLength))
	c.MaxAge = int(SessionLength / time.Second)
	return c, nil
}

// SignOut returns the cookie that takes the session out of the browser that sent r. Who has copied its cookie keeps it
// until it ends, or until the key is revoked.
func (g *Guard) SignOut(r *http.Request) *http.Cookie {
	c := cookie(r)
	c.MaxAge = -1
	return c
}

// cookie is the one that both set. SameSite is Lax and not Strict: with Strict, who follows a link in a mail or a chat to
// a page here would have to sign in again each time. What Lax lets through is a GET that leads to a page, and a GET
// changes nothing here; whatever else comes with a cookie must come from a page of ours (see Guard).
func cookie(r *http.Request) *http.Cookie {
	name, overTLS := cookieName(r)
	return &http.Cookie{Name: name, Path: "/", Secure: overTLS, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

func cookieName(r *http.Request) (name string, overTLS bool) {
	if api.ClientOf(r.Context()).TLS {
		return cookieOverTLS, true
	}
	return cookiePlain, false
}

// sessionIn returns the live key of the session that a request's cookie is of.
func (g *Guard) sessionIn(r *http.Request, seen *look) (row, bool) {
	name, _ := cookieName(r)
	for _, c := range r.CookiesNamed(name) { // another site of the domain may have added one
		if known, ok := seen.session(c.Value, g.now()); ok {
			return known, true
		}
	}
	return row{}, false
}

// newSession is "id.end.signature".
func newSession(id, key string, end time.Time) string {
	claim := id + "." + strconv.FormatInt(end.Unix(), 10)
	return claim + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(signerOf(key), signed(claim)))
}

// signed is what is signed of a session, and what nothing else would sign.
func signed(claim string) []byte { return []byte("queuetrack session 1: " + claim) }

// session returns the live key whose session the value is.
func (l *look) session(value string, now time.Time) (row, bool) {
	id, rest, _ := strings.Cut(value, ".")
	end, signature, _ := strings.Cut(rest, ".")
	known := l.rows[id]
	sig, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	seconds, notNumber := strconv.ParseInt(end, 10, 64)
	if err != nil || notNumber != nil || !known.live() || !now.Before(time.Unix(seconds, 0)) {
		return row{}, false
	}
	if len(known.verifier) != ed25519.PublicKeySize || !ed25519.Verify(known.verifier, signed(id+"."+end), sig) {
		return row{}, false
	}
	return known, true
}

// SignedIn reports whether the browser that sent r has a session, so that it may be offered to end it.
func (g *Guard) SignedIn(r *http.Request) bool {
	seen, err := g.keys.look(r.Context())
	if err != nil {
		return false
	}
	_, ok := g.sessionIn(r, seen)
	return ok
}
