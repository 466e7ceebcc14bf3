package access

import (
	"context"
	"net/http"
	"strings"
	"time"

	"queuetrack/api"
)

// caller finds out who sent a request, by what is in it and by the keys as they are now.
func (g *Guard) caller(r *http.Request) (api.Caller, error) {
	if g.none {
		return api.Anybody(), nil
	}
	seen, err := g.keys.look(r.Context())
	if err != nil {
		return api.Caller{}, api.AccessUnknown(err)
	}
	if g.local && len(seen.rows) == 0 {
		return api.Anybody(), nil
	}
	if given := r.Header.Values("Authorization"); len(given) > 0 {
		known, err := g.verify(r.Context(), api.ClientOf(r.Context()), bearer(given))
		return known.caller(), err
	}
	return g.signedIn(r, seen)
}

// bearer is the key in an Authorization header; "" where there is none.
func bearer(given []string) string {
	scheme, key, _ := strings.Cut(given[0], " ")
	if len(given) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// signedIn finds out whose session a request belongs to, and lets it change something from a page of ours only.
func (g *Guard) signedIn(r *http.Request, seen *look) (api.Caller, error) {
	known, ok := g.sessionIn(r, seen)
	switch {
	case !ok:
		return api.Caller{}, api.Unauthorized()
	case !reads(r.Method) && !g.fromOurPage(r):
		return api.Caller{}, api.CrossOrigin()
	}
	return known.caller(), nil
}

// fromOurPage reports whether a browser says that a page of this server sent the request. Whatever has a cookie is a
// browser, and all of them say so with one of these: without either, nothing is believed.
func (g *Guard) fromOurPage(r *http.Request) bool {
	says := r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != ""
	return says && g.origins.Check(r) == nil
}

// verify returns the live key that was given. Wrong ones are counted by who sent them and which key they were aimed at: who
// has sent too many is told so before anything is compared, and whoever has another key there goes on undisturbed. A key
// that was revoked is no guess.
func (g *Guard) verify(ctx context.Context, from api.Client, key string) (row, error) {
	seen, err := g.keys.look(ctx)
	if err != nil {
		return row{}, api.AccessUnknown(err)
	}
	known := seen.rows[idOf(key)]
	guess, now := from.Network()+" "+known.ID, g.now()
	if wait := g.guesses.full(guess, now); wait > 0 {
		return row{}, tooManyGuesses(wait)
	}
	if known.ID == "" && idOf(key) != "" { // it may be new
		if seen, err = g.keys.lookAnew(ctx); err != nil {
			return row{}, api.AccessUnknown(err)
		}
		known = seen.rows[idOf(key)]
	}
	switch {
	case known.is(key) && known.live():
		return known, nil
	case !known.is(key):
		if wait := g.guesses.take(guess, now); wait > 0 {
			return row{}, tooManyGuesses(wait)
		}
	}
	return row{}, api.Unauthorized()
}

func tooManyGuesses(wait time.Duration) error {
	return api.TooManyRequests("Too many wrong keys came from your address.", wait)
}
