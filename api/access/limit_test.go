package access

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"queuetrack/api"
)

// A key may send so many at once, and so many a second; another one's are not counted.
func TestRateOfAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{Rate: 2})
	_, one := w.create(api.ScopeRead)
	_, other := w.create(api.ScopeRead)
	for range 4 {
		if got := w.status(one); got != 200 {
			t.Fatalf("within the limit: %d", got)
		}
	}
	got := w.with(one)
	if wait, err := strconv.Atoi(got.Header().Get("Retry-After")); got.Code != 429 || kindOf(t, got) != api.KindTooManyRequests || err != nil || wait != 1 {
		t.Errorf("over the limit: %d %s, Retry-After %q", got.Code, got.Body, got.Header().Get("Retry-After"))
	}
	if w.status(other) != 200 {
		t.Error("another key is limited, too")
	}
	w.pass(500 * time.Millisecond)
	if w.status(one) != 200 || w.status(one) != 429 {
		t.Error("half a second later there is room for one")
	}
	free := NewGuard(w.keys, Config{Rate: -1, Now: w.now})
	w.guard = free
	for range 500 {
		if w.status(other) != 200 {
			t.Fatal("limited where there is no limit")
		}
	}
}

// Guessing is bounded by address, and for each key by itself: whoever has another key there goes on. What a stranger says of
// his address changes nothing.
func TestGuessingIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{Rate: -1})
	made, secret := w.create(api.ScopeRead)
	_, other := w.create(api.ScopeRead)
	from := func(client, key string) int {
		r := w.request("GET", "/", "Authorization", "Bearer "+key, "X-Forwarded-For", client)
		return w.send(r).Code
	}
	guess := prefix + made.ID + "0000000000000000000000000000000000000000"
	for _, wrong := range []string{guess, newKey()} {
		for range guessesAtOnce {
			if got := from("203.0.113.1", wrong); got != 401 {
				t.Fatalf("a wrong key: %d", got)
			}
		}
		if got := from("203.0.113.1", wrong); got != 429 {
			t.Errorf("the next one: %d", got)
		}
	}
	if got := from("203.0.113.1", secret); got != 429 {
		t.Errorf("the right guess after too many wrong ones: %d", got)
	}
	if got := from("203.0.113.1", other); got != 200 {
		t.Errorf("another key from there: %d", got)
	}
	if got := from("203.0.113.2", secret); got != 200 {
		t.Errorf("the key from elsewhere: %d", got)
	}
	if got := from("1.2.3.4, 203.0.113.1", newKey()); got != 429 {
		t.Errorf("with an invented address in front: %d", got)
	}
	w.pass(time.Minute)
	if got := from("203.0.113.1", secret); got != 200 {
		t.Errorf("a minute later: %d", got)
	}
	// Signing in is counted with it.
	for range guessesAtOnce + 1 {
		_, _ = w.signIn(guess, "X-Forwarded-For", "203.0.113.9")
	}
	_, err := w.signIn(secret, "X-Forwarded-For", "203.0.113.9")
	if p := api.ProblemOf(err); p.Status != http.StatusTooManyRequests || p.GetHeaders().Get("Retry-After") == "" {
		t.Errorf("signing in after too many wrong keys: %v", err)
	}
}

// A key that was revoked is no guess: its client goes on being told 401, and locks out nobody.
func TestARevokedKeyIsNoGuess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	made, secret := w.create(api.ScopeRead)
	w.revoke(made.ID)
	for range 3 * guessesAtOnce {
		if got := w.status(secret); got != 401 {
			t.Fatalf("a revoked key: %d", got)
		}
	}
}

func TestLimitsForget(t *testing.T) {
	t.Parallel()
	l, now := newLimits(1, 1, 3), time.Unix(1e9, 0)
	for i := range 10 {
		if wait := l.take(fmt.Sprint(i), now); wait != 0 {
			t.Errorf("%d: %v", i, wait)
		}
	}
	if len(l.by) != 3 || l.order.Len() != 3 {
		t.Errorf("%d remembered, %d in order, want 3", len(l.by), l.order.Len())
	}
	if l.full("9", now) != time.Second || l.full("0", now) != 0 || l.take("9", now.Add(time.Second)) != 0 {
		t.Error("the latest is forgotten, or the oldest is not")
	}
}
