package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"queuetrack/api"
)

// Key is what may be told of an API key.
type Key struct {
	ID         string
	Name       string
	Scopes     []api.Scope
	CreatedAt  time.Time
	CreatedBy  Origin
	LastUsedAt time.Time // zero: never, as far as it is written down
	RevokedAt  time.Time // zero: it is live
}

// Origin is how a key came to be.
type Origin string

// The origins.
const (
	ByCommand Origin = "command"
	ByFile    Origin = "file"
)

// What callers branch on.
var (
	ErrUnknownKey = errors.New("there is no such API key; 'queuetrack apikey list' shows their ids")
	ErrRevoked    = errors.New("the API key was revoked")
	ErrTaken      = errors.New("another API key has the same 8 characters behind qt_; take another one")
	ErrName       = errors.New("a name has 1 to 100 characters on one line")
)

// maxName bounds a key's name.
const maxName = 100

// Create makes a key and returns it: nobody can read it again.
func (k *Keys) Create(ctx context.Context, name string, scope api.Scope) (Key, string, error) {
	if !legible(name) {
		return Key{}, "", fmt.Errorf("create API key %q: %w", name, ErrName)
	}
	secret := newKey()
	made := Key{ID: idOf(secret), Name: name, Scopes: []api.Scope{scope}, CreatedAt: k.now().UTC(), CreatedBy: ByCommand}
	inserted, err := k.insert(ctx, made, secret)
	if err == nil && !inserted {
		err = ErrTaken
	}
	if err != nil {
		return Key{}, "", fmt.Errorf("create API key %q: %w", name, err)
	}
	return made, secret, nil
}

// Register takes in a key with the scope admin that somebody made up; one that is known stays as it is. It fails with
// ErrForm for what is no key, and with ErrRevoked for one that was revoked: that stays so.
func (k *Keys) Register(ctx context.Context, name, secret string) (Key, error) {
	id := idOf(secret)
	if id == "" {
		return Key{}, ErrForm
	}
	made := Key{ID: id, Name: name, Scopes: []api.Scope{api.ScopeAdmin}, CreatedAt: k.now().UTC(), CreatedBy: ByFile}
	inserted, err := k.insert(ctx, made, secret)
	if err != nil || inserted {
		return made, err
	}
	rows, err := k.rows(ctx)
	if err != nil {
		return Key{}, err
	}
	known := rows[id]
	switch {
	case !known.is(secret):
		return Key{}, ErrTaken
	case !known.RevokedAt.IsZero():
		return known.Key, ErrRevoked
	}
	return known.Key, nil
}

func (k *Keys) insert(ctx context.Context, made Key, secret string) (inserted bool, err error) {
	digest := digestOf(secret)
	tag, err := k.pool.Exec(ctx, `
		INSERT INTO api_key (id, name, scopes, digest, session_key, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO NOTHING`,
		made.ID, made.Name, made.Scopes, digest[:], []byte(verifierOf(secret)), made.CreatedAt, made.CreatedBy)
	if err != nil {
		return false, fmt.Errorf("keep API key %s: %w", made.ID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// Revoke ends a key, and with it its sessions: within [Freshness] for every process. Revoking it again changes nothing.
func (k *Keys) Revoke(ctx context.Context, id string) (Key, error) {
	rows, err := k.pool.Query(ctx, `
		UPDATE api_key AS k
		   SET revoked_at = coalesce(k.revoked_at, $2)
		 WHERE k.id = $1
		RETURNING `+keyColumns, id, k.now().UTC())
	if err != nil {
		return Key{}, fmt.Errorf("revoke API key %s: %w", id, err)
	}
	revoked, err := pgx.CollectExactlyOneRow(rows, scanRow)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrUnknownKey
	}
	if err != nil {
		return Key{}, fmt.Errorf("revoke API key %s: %w", id, err)
	}
	return revoked.Key, nil
}

// List returns every key, the revoked ones too, in the order in which they were made.
func (k *Keys) List(ctx context.Context) ([]Key, error) {
	rows, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(rows))
	for i, one := range rows {
		keys[i] = one.Key
	}
	return keys, nil
}

// row is a key as it is kept.
type row struct {
	Key
	digest   []byte
	verifier []byte
}

const keyColumns = `k.id, k.name, k.scopes, k.created_at, k.created_by, k.last_used_at, k.revoked_at, k.digest, k.session_key`

func (k *Keys) read(ctx context.Context) ([]row, error) {
	rows, err := k.pool.Query(ctx, `
		SELECT `+keyColumns+`
		  FROM api_key AS k
		 ORDER BY k.created_at, k.id`)
	if err != nil {
		return nil, fmt.Errorf("read the API keys: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanRow)
	if err != nil {
		return nil, fmt.Errorf("read the API keys: %w", err)
	}
	return all, nil
}

// rows are the same by id.
func (k *Keys) rows(ctx context.Context) (map[string]row, error) {
	all, err := k.read(ctx)
	byID := make(map[string]row, len(all))
	for _, one := range all {
		byID[one.ID] = one
	}
	return byID, err
}

func scanRow(r pgx.CollectableRow) (one row, err error) {
	var used, revoked *time.Time
	err = r.Scan(&one.ID, &one.Name, &one.Scopes, &one.CreatedAt, &one.CreatedBy, &used, &revoked, &one.digest, &one.verifier)
	one.CreatedAt, one.LastUsedAt, one.RevokedAt = one.CreatedAt.UTC(), instant(used), instant(revoked)
	return one, err
}

// instant is Go's "never" for the database's.
func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// legible reports whether a name can be shown in a line of a table or a log.
func legible(name string) bool {
	return strings.TrimSpace(name) == name && name != "" && utf8.ValidString(name) &&
		utf8.RuneCountInString(name) <= maxName && !strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f })
}
