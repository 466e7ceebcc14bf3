package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/api"
	"queuetrack/api/access"
	"queuetrack/cmd/queuetrack/doctor"
)

// fileKeyName is what the key from a file is called.
const fileKeyName = "admin key file"

// wantKey is said where other machines reach a server that nobody has a key for.
const wantKey = `listen on %s: other machines reach this address, and there is no live API key. Make one with
  queuetrack apikey create NAME --scope admin
(on this same database), or let QUEUETRACK_ADMIN_KEY_FILE name a file that holds one, or say --auth=none to let everybody
who reaches the address read and change everything`

// prepareAccess takes in the key from the configured file, and refuses to serve an address that other machines reach while
// nobody has a key, unless it was said aloud that everybody may read.
func (p *parts) prepareAccess(ctx context.Context, logger *slog.Logger) error {
	c := p.config
	if err := p.registerFileKey(ctx, logger); err != nil {
		return err
	}
	live, made, err := p.keys.Live(ctx)
	if err != nil {
		return err
	}
	local, err := api.Loopback(c.Listen.Value)
	switch {
	case err != nil:
		return err
	case c.Access.AuthNone:
		logger.WarnContext(ctx, "--auth=none: everybody who reaches the address may read and change everything", "listen", c.Listen.Value)
	case local && made == 0:
		logger.InfoContext(ctx, "no API key was ever made, so everybody on this machine may read and change everything", "listen", c.Listen.Value)
	case !local && live == 0:
		return fmt.Errorf(wantKey, c.Listen.Value)
	}
	return nil
}

// registerFileKey makes the key in the file one of ours. A file that has another key by now adds that one; the one before
// stays until it is revoked, so that clients can be told one by one. A key that was revoked stays so, and must not keep
// the server from starting: it takes in webhooks, too.
func (p *parts) registerFileKey(ctx context.Context, logger *slog.Logger) error {
	path := p.config.Access.AdminKeyFile.Value
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the admin key file: %w", err)
	}
	key, err := p.keys.Register(ctx, fileKeyName, trimNewline(string(text)))
	switch {
	case errors.Is(err, access.ErrRevoked):
		logger.WarnContext(ctx, "the key in the admin key file was revoked and opens nothing: put another one there, or take the file out",
			"file", path, "key", key.ID)
		return nil
	case err != nil:
		return fmt.Errorf("take in the admin key file %s: %w", path, err)
	}
	logger.InfoContext(ctx, "the key in the admin key file is live", "file", path, "key", key.ID)
	return nil
}

// keys tells doctor's user who may read.
func (x *examination) keys(ctx context.Context, pool *pgxpool.Pool) ([]doctor.Finding, error) {
	live, made, err := access.NewKeys(pool, x.now).Live(ctx)
	if err != nil {
		return nil, err
	}
	local, _ := api.Loopback(x.config.Listen.Value) // what is no address is a finding of its own
	f := doctor.Finding{Check: "API keys", Verdict: doctor.OK, Found: counted(live, "live one")}
	switch {
	case live > 0:
	case local && made == 0:
		f.Found = "none was ever made: everybody on this machine may read and change everything"
	default:
		f.Verdict, f.Found = doctor.Warning, "no live one: nobody may read, and off loopback serve does not start, unless --auth=none"
		f.Do = "queuetrack apikey create NAME --scope admin"
	}
	return []doctor.Finding{f}, nil
}
