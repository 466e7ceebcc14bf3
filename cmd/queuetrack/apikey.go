package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"queuetrack/api"
	"queuetrack/api/access"
)

func newAPIKey(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "apikey",
		Short: "API keys: make one, see who has used which, revoke one",
	}, newAPIKeyCreate(a), newAPIKeyList(a), newAPIKeyRevoke(a))
}

func newAPIKeyCreate(a *app) *cobra.Command {
	var scope string
	cmd := &cobra.Command{
		Use:   "create NAME --scope read|admin",
		Short: "Make an API key, and print it once",
		Long: `Makes an API key and prints it on standard output, alone, so that a script can take it; it is kept as a digest, and
nobody can print it again. NAME says who or what uses it.

The scope read allows every GET, but for the bodies of deliveries; admin allows everything. A key is sent as
'Authorization: Bearer KEY', or typed in on the sign-in page. As soon as the first one is made, a server on a loopback
address asks for keys, too.`,
		Example: `  queuetrack apikey create "wall display" --scope read
  KEY=$(queuetrack apikey create deploy --scope admin)`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			parsed, err := api.ParseScope(scope)
			if scope == "" {
				err = errors.New("--scope is missing: read, or admin")
			}
			if err != nil {
				return usageError{err}
			}
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
				return a.createKey(ctx, p, args[0], parsed)
			})
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "", "what it allows, `SCOPE`: read or admin")
	return cmd
}

func (a *app) createKey(ctx context.Context, p *parts, name string, scope api.Scope) error {
	made, secret, err := p.keys.Create(ctx, name, scope)
	if errors.Is(err, access.ErrName) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "API key %s for %q, scope %s. This is the only time that it is shown:\n", made.ID, made.Name, scope)
	fmt.Fprintln(a.stdout, secret)
	return nil
}

func newAPIKeyList(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the API keys, the revoked ones too",
		Long: `Lists every API key by its id, which stands behind qt_ in the key, with when it was last used (to the minute) and
whether it was revoked. The keys themselves are kept as digests only.`,
		Example: `  queuetrack apikey list --json`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error { return a.listKeys(ctx, p, asJSON) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// keyLine is a key as JSON.
type keyLine struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Scopes     []api.Scope   `json:"scopes"`
	CreatedAt  time.Time     `json:"created_at"`
	CreatedBy  access.Origin `json:"created_by"`
	LastUsedAt *time.Time    `json:"last_used_at"`
	RevokedAt  *time.Time    `json:"revoked_at"`
}

func (a *app) listKeys(ctx context.Context, p *parts, asJSON bool) error {
	keys, err := p.keys.List(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		lines := make([]keyLine, len(keys))
		for i, k := range keys {
			lines[i] = keyLine{k.ID, k.Name, k.Scopes, k.CreatedAt, k.CreatedBy, orNull(k.LastUsedAt), orNull(k.RevokedAt)}
		}
		return json.NewEncoder(a.stdout).Encode(map[string]any{"items": lines})
	}
	if len(keys) == 0 {
		fmt.Fprintln(a.stdout, "no API key was ever made")
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSCOPES\tCREATED\tLAST USED\tREVOKED")
	for _, k := range keys {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, oneLine(k.Name), scopeNames(k.Scopes), instant(k.CreatedAt),
			first(instant(k.LastUsedAt), "never"), first(instant(k.RevokedAt), "-"))
	}
	return w.Flush()
}

func scopeNames(scopes []api.Scope) string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = string(s)
	}
	return strings.Join(words, ",")
}

// orNull is null for never.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func newAPIKeyRevoke(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "End an API key, and the sessions of those who signed in with it",
		Long: `Ends the API key with this id, for good, and with it every session and stream that was opened with it: within 5
seconds, on every server. Revoking the last one opens nothing: nobody may read then, until another one is made.
Exit code 1 when there is no such key.`,
		Example: `  queuetrack apikey revoke k7m2p4xa`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
				revoked, err := p.keys.Revoke(ctx, args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "revoked %s (%s)\n", revoked.ID, oneLine(revoked.Name))
				return nil
			})
		},
	}
}
