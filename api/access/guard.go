package access

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"queuetrack/api"
)

// DefaultRate is how many requests a second a key may send in the long run; twice as many may come at once. A stream
// counts as one request, however long it lasts.
const DefaultRate = 50

// How many wrong keys a client may send: some for mistakes, and then one each few seconds.
const (
	guessesAtOnce    = 10
	guessesPerSecond = 1.0 / 6
)

const (
	// mostRemembered bounds whose limits are remembered: some 200 bytes each.
	mostRemembered = 10_000
	// lookAgain is how often is asked whether a request that lasts, a stream, still may.
	lookAgain = time.Second
)

// Config says whom the guard asks for a key. The zero value asks everybody.
type Config struct {
	Local    bool             // the address is loopback: open as long as no key was ever made
	AuthNone bool             // nobody is asked, as the operator has said aloud
	Rate     int              // requests a second of each key; 0: DefaultRate; negative: no limit
	Now      func() time.Time // nil: time.Now
}

// Guard lets in who may come in. It belongs within [api.Wrap], [api.Clients] and [api.SameSite].
type Guard struct {
	keys        *Keys
	local, none bool
	now         func() time.Time
	requests    *limits // by key; nil: none
	guesses     *limits // by client and the key that is guessed at
	origins     *http.CrossOriginProtection
	lookAgain   time.Duration
}

// NewGuard returns a guard that goes by the keys.
func NewGuard(keys *Keys, c Config) *Guard {
	g := &Guard{
		keys: keys, local: c.Local, none: c.AuthNone, now: c.Now,
		guesses: newLimits(guessesPerSecond, guessesAtOnce, mostRemembered),
		origins: http.NewCrossOriginProtection(), lookAgain: lookAgain,
	}
	if g.now == nil {
		g.now = time.Now
	}
	if c.Rate == 0 {
		c.Rate = DefaultRate
	}
	if c.Rate > 0 {
		g.requests = newLimits(float64(c.Rate), 2*c.Rate, mostRemembered)
	}
	return g
}

// Handler lets requests through to next that may: a GET or HEAD with the scope read, all others with admin. It tells next
// who they are from, by [api.CallerOf], and ends those that outlast their key.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := g.admit(r)
		if err != nil {
			refuse(w, r, err)
			return
		}
		ctx, end := context.WithCancelCause(api.WithCaller(r.Context(), caller))
		defer end(nil)
		defer time.AfterFunc(g.lookAgain, func() { g.watch(ctx, r, caller, end) }).Stop()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// MayRead reports whether the sender of r may read, for what is answered either way.
func (g *Guard) MayRead(r *http.Request) bool {
	caller, err := g.caller(r)
	return err == nil && caller.May(api.ScopeRead)
}

// admit finds out who sent a request and whether they may.
func (g *Guard) admit(r *http.Request) (api.Caller, error) {
	caller, err := g.caller(r)
	if err != nil {
		return caller, err
	}
	if caller.KeyID != "" {
		api.Annotate(r.Context(), keyAttr(caller.KeyID))
		g.keys.touch(caller.KeyID)
		if g.requests != nil {
			if wait := g.requests.take(caller.KeyID, g.now()); wait > 0 {
				return caller, api.TooManyRequests("This key has sent more requests than it may. Send them more slowly, or use /v1/stream to be told of changes.", wait)
			}
		}
	}
	if needed := scopeOf(r.Method); !caller.May(needed) {
		return caller, api.Forbidden(needed)
	}
	return caller, nil
}

// keyAttr names a key in a log line: its id, which is no secret.
func keyAttr(id string) slog.Attr { return slog.String("key", id) }

func scopeOf(method string) api.Scope {
	if reads(method) {
		return api.ScopeRead
	}
	return api.ScopeAdmin
}

func reads(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// watch ends a request that goes on after its right to has ended. While nobody can tell, it goes on: a key is revoked in
// the database, so none is while that is away.
func (g *Guard) watch(ctx context.Context, r *http.Request, caller api.Caller, end context.CancelCauseFunc) {
	tick := time.NewTicker(g.lookAgain)
	defer tick.Stop()
	for {
		if err := g.still(r.WithContext(ctx), caller); errors.Is(err, api.Unauthorized()) {
			end(err)
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// still reports whether the caller that was found in a request is in it yet. The key comes first: whoever keeps sending
// wrong ones, so that no key of theirs is compared any more, must not keep a stream by that.
func (g *Guard) still(r *http.Request, caller api.Caller) error {
	if caller.KeyID != "" {
		seen, err := g.keys.look(r.Context())
		if err == nil && !seen.rows[caller.KeyID].live() {
			return api.Unauthorized()
		}
	}
	_, err := g.caller(r)
	return err
}

// refuse answers a browser that wants a page, and has no key, with the way to sign in, and everything else with the
// problem.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	page := reads(r.Method) && strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("Authorization") == ""
	if page && errors.Is(err, api.Unauthorized()) {
		w.Header().Set("Location", api.SignInURL(r.URL.RequestURI()))
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	api.Fail(w, r, err)
}
