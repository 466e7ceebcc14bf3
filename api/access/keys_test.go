package access

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/api"
)

func TestKeysHaveTheirForm(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		key := newKey()
		if !form.MatchString(key) || len(key) != len(prefix)+idLength+secretLength || seen[key] {
			t.Errorf("key %q", key)
		}
		if !strings.HasPrefix(key, prefix+idOf(key)) || len(idOf(key)) != idLength {
			t.Errorf("the id of %q is %q", key, idOf(key))
		}
		seen[key] = true
	}
	for _, none := range []string{"", "qt_", "qt_short", "QT_" + strings.Repeat("a", 50), "qt_" + strings.Repeat("a", 121), newKey() + "\n", "qt_" + strings.Repeat("ä", 30), " " + newKey()} {
		if idOf(none) != "" {
			t.Errorf("%q has the id %q", none, idOf(none))
		}
	}
}

// The database holds no key, nor what opens a session.
func TestAKeyIsKeptAsADigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	made, secret := w.create(api.ScopeRead)
	var text string
	if err := w.pool.QueryRow(t.Context(), `SELECT k::text || convert_from(k.digest, 'LATIN1') FROM api_key AS k`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, secret[len(prefix)+idLength:]) {
		t.Errorf("the row has the key: %s", text)
	}
	var digest, verifier []byte
	if err := w.pool.QueryRow(t.Context(), `SELECT digest, session_key FROM api_key WHERE id = $1`, made.ID).Scan(&digest, &verifier); err != nil {
		t.Fatal(err)
	}
	want := digestOf(secret)
	if string(digest) != string(want[:]) || string(verifier) == string(signerOf(secret).Seed()) {
		t.Error("the digest is not SHA-256, or the session key is the private one")
	}
}

func TestCreateListRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	first, _ := w.create(api.ScopeAdmin)
	w.pass(time.Second)
	second, _ := w.create(api.ScopeRead)
	w.pass(time.Second)
	w.revoke(first.ID)
	first.RevokedAt = w.now().UTC()
	w.pass(time.Second)
	w.revoke(first.ID) // again: the time stays
	got, err := w.keys.List(t.Context())
	if diff := cmp.Diff([]Key{first, second}, got); err != nil || diff != "" {
		t.Errorf("keys %v (-want +got):\n%s", err, diff)
	}
	if live, made, err := w.keys.Live(t.Context()); live != 1 || made != 2 || err != nil {
		t.Errorf("%d of %d live, %v", live, made, err)
	}
	if _, err := w.keys.Revoke(t.Context(), "nobodys"); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("revoke an unknown one: %v", err)
	}
	for _, name := range []string{"", " ", "two\nlines", "\x1b[31m", strings.Repeat("x", maxName+1), "\xff"} {
		if _, _, err := w.keys.Create(t.Context(), name, api.ScopeRead); !errors.Is(err, ErrName) {
			t.Errorf("create %q: %v", name, err)
		}
	}
}

// The key from a file is taken in once; another one there is added; a revoked one stays revoked.
func TestRegister(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	const one, other = "qt_operator0123456789abcdef0123456789abcdef01234567", "qt_another_0123456789abcdef0123456789abcdef01234567"
	for range 2 {
		if k, err := w.keys.Register(t.Context(), "file", one); err != nil || k.ID != "operator" || k.CreatedBy != ByFile {
			t.Fatalf("register: %+v, %v", k, err)
		}
	}
	if _, err := w.keys.Register(t.Context(), "file", other); err != nil {
		t.Fatal(err)
	}
	if live, made, _ := w.keys.Live(t.Context()); live != 2 || made != 2 {
		t.Errorf("%d of %d keys live, want both", live, made)
	}
	if w.status(one) != 200 || w.status(other) != 200 {
		t.Error("a key from the file opens nothing")
	}
	if _, err := w.keys.Register(t.Context(), "file", one[:len(one)-1]+"x"); !errors.Is(err, ErrTaken) {
		t.Errorf("another key with the same id: %v", err)
	}
	w.revoke("operator")
	if _, err := w.keys.Register(t.Context(), "file", one); !errors.Is(err, ErrRevoked) {
		t.Errorf("a revoked one: %v", err)
	}
	w.pass(Freshness)
	if w.status(one) != 401 {
		t.Error("a revoked key came back")
	}
	for _, bad := range []string{"", "qt_", "password", one + "\n"} {
		if _, err := w.keys.Register(t.Context(), "file", bad); !errors.Is(err, ErrForm) {
			t.Errorf("register %q: %v", bad, err)
		}
	}
}

// Uses are written once a minute, and not by the request.
func TestLastUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	_, secret := w.create(api.ScopeRead)
	used := func() time.Time {
		t.Helper()
		w.keys.writeUses(t.Context())
		all, err := w.keys.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all[0].LastUsedAt
	}
	if w.status(secret) != 200 {
		t.Fatal("not let in")
	}
	before, err := w.keys.List(t.Context())
	if err != nil || !before[0].LastUsedAt.IsZero() {
		t.Errorf("the request wrote: %v %v", before, err)
	}
	first := w.now().UTC()
	if got := used(); !got.Equal(first) {
		t.Errorf("used at %v, want %v", got, first)
	}
	w.pass(useWorthAWrite - time.Second)
	w.status(secret)
	if got := used(); !got.Equal(first) {
		t.Errorf("written again within a minute: %v", got)
	}
	w.pass(time.Second)
	w.status(secret)
	if got := used(); !got.Equal(w.now()) {
		t.Errorf("used at %v, want %v", got, w.now())
	}
	if len(w.keys.used) != 0 {
		t.Errorf("uses are left over: %v", w.keys.used)
	}
}

// A use that couldn't be written is written later.
func TestLastUsedOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	_, secret := w.create(api.ScopeRead)
	w.status(secret)
	w.away()
	w.keys.writeUses(t.Context())
	if len(w.keys.used) != 1 {
		t.Errorf("the use is gone: %v", w.keys.used)
	}
	w.back()
	w.keys.writeUses(t.Context())
	if all, err := w.keys.List(t.Context()); err != nil || all[0].LastUsedAt.IsZero() {
		t.Errorf("not written: %v, %v", all, err)
	}
}

// away takes the table from the keys, and back gives it again.
func (w *world) away() { w.exec(`ALTER TABLE api_key RENAME TO api_key_away`) }
func (w *world) back() { w.exec(`ALTER TABLE api_key_away RENAME TO api_key`) }

func (w *world) exec(sql string) {
	w.t.Helper()
	if _, err := w.pool.Exec(w.t.Context(), sql); err != nil {
		w.t.Fatal(err)
	}
}
