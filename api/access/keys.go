package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"queuetrack/api"
)

// Freshness is how old a look at the keys may be: a revoked one opens nothing afterwards.
const Freshness = 2 * time.Second

// When the last uses of keys are written down: those of some seconds together, and of each key one a minute.
const (
	writeUsesEvery = 10 * time.Second
	useWorthAWrite = time.Minute
)

// Keys are the API keys of a database. Safe for concurrent use.
type Keys struct {
	pool    *pgxpool.Pool
	now     func() time.Time
	last    atomic.Pointer[look]
	looking singleflight.Group

	mu   sync.Mutex
	used map[string]time.Time // by id, since the last writing
}

// look is the whole table as it was at an instant.
type look struct {
	at   time.Time // before it was read
	rows map[string]row
}

// NewKeys returns the keys that are in the database. now is nil for time.Now.
func NewKeys(pool *pgxpool.Pool, now func() time.Time) *Keys {
	if now == nil {
		now = time.Now
	}
	return &Keys{pool: pool, now: now, used: map[string]time.Time{}}
}

// Live counts the keys that open something, and those that were ever made.
func (k *Keys) Live(ctx context.Context) (live, made int, err error) {
	all, err := k.read(ctx)
	for _, one := range all {
		if one.RevokedAt.IsZero() {
			live++
		}
	}
	return live, len(all), err
}

// look returns one that is fresh. It fails when the database doesn't answer, within [api.CheckTimeout].
func (k *Keys) look(ctx context.Context) (*look, error) {
	if l := k.last.Load(); l != nil && k.now().Sub(l.at) < Freshness {
		return l, nil
	}
	return k.take(ctx)
}

// lookAnew returns one that was taken after it was called: for a key that was made a moment ago.
func (k *Keys) lookAnew(ctx context.Context) (*look, error) {
	asked := k.now()
	l, err := k.take(ctx)
	if err == nil && l.at.Before(asked) { // it was under way already
		l, err = k.take(ctx)
	}
	return l, err
}

// take looks; whoever asks meanwhile gets the same, so that any number of requests cost one statement at a time.
func (k *Keys) take(ctx context.Context) (*look, error) {
	taken := k.looking.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), api.CheckTimeout)
		defer cancel()
		l := &look{at: k.now()}
		var err error
		if l.rows, err = k.rows(ctx); err != nil {
			return nil, err
		}
		k.last.Store(l)
		return l, nil
	})
	select {
	case result := <-taken:
		l, _ := result.Val.(*look)
		return l, result.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// is reports whether the key is this one. It takes the same time for each key that it isn't, and where there is no row.
func (r row) is(key string) bool {
	var kept [sha256.Size]byte
	n := copy(kept[:], r.digest)
	given := digestOf(key)
	return subtle.ConstantTimeCompare(given[:], kept[:]) == 1 && n == len(kept)
}

func (r row) live() bool { return r.ID != "" && r.RevokedAt.IsZero() }

func (r row) caller() api.Caller { return api.Caller{KeyID: r.ID, Name: r.Name, Scopes: r.Scopes} }

// touch notes that a key is used. It is written down later, on nobody's time.
func (k *Keys) touch(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.used[id] = k.now()
}

// Run writes down when keys were used, until ctx ends. The error is always nil; it is there for errgroups.
func (k *Keys) Run(ctx context.Context) error {
	tick := time.NewTicker(writeUsesEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		k.writeUses(context.WithoutCancel(ctx))
	}
	return nil
}

// writeUses writes what touch has noted. What can't be written now is kept for the next time.
func (k *Keys) writeUses(ctx context.Context) {
	k.mu.Lock()
	used := k.used
	k.used = map[string]time.Time{}
	k.mu.Unlock()
	if len(used) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, api.CheckTimeout)
	defer cancel()
	if k.write(ctx, used) == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, at := range k.used {
		used[id] = at
	}
	k.used = used
}

func (k *Keys) write(ctx context.Context, used map[string]time.Time) error {
	ids := slices.Sorted(maps.Keys(used)) // in one order, so that two processes don't wait for each other in a circle
	at := make([]time.Time, len(ids))
	for i, id := range ids {
		at[i] = used[id]
	}
	_, err := k.pool.Exec(ctx, `
		UPDATE api_key AS k
		   SET last_used_at = u.at
		  FROM unnest($1::text[], $2::timestamptz[]) AS u (id, at)
		 WHERE k.id = u.id
		   AND (k.last_used_at IS NULL OR k.last_used_at <= u.at - $3::interval)`, ids, at, useWorthAWrite)
	if err != nil {
		return fmt.Errorf("write down the uses of API keys: %w", err)
	}
	return nil
}
