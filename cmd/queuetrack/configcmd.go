package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
)

func newConfig(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "config",
		Short: "Check or print the settings",
	}, newConfigCheck(a), newConfigPrint(a))
}

func newConfigCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Say whether the settings are right, and every mistake's line if not",
		Long: `Reads defaults, file, environment and flags as serve does, the secrets too, and touches nothing else.
Exit code 1 when there are mistakes.`,
		Example: `  queuetrack config check --config queuetrack.yaml`,
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			c, err := a.loadConfig()
			if err != nil {
				return err
			}
			if c.File == "" {
				fmt.Fprintln(a.stdout, "ok: no configuration file, so no sources; name one with --config FILE")
				return nil
			}
			fmt.Fprintf(a.stdout, "ok: %s, %s\n", c.File, counted(len(c.Sources), "source"))
			return nil
		},
	}
}

func newConfigPrint(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "print",
		Short: "Print the merged settings and where each comes from, without secrets",
		Long: `Prints the settings that a run would go by, as YAML; behind each is where it comes from. Of a secret only the
name is shown, of the database's URL everything but the password.`,
		Example: `  queuetrack config print --config queuetrack.yaml`,
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			c, err := a.loadConfig()
			if err != nil {
				return err
			}
			return c.print(a.stdout)
		},
	}
}

// line is one setting as it is printed.
type line struct {
	indent string
	key    string
	value  any
	origin string
}

func (c config) print(w io.Writer) error {
	database := c.DatabaseURL
	database.Value = withoutPassword(database.Value)
	lines := []line{
		{"", "database_url", database.Value, first(database.Origin, "default: a private Postgres")},
		{"", "data_dir", c.DataDir.Value, first(c.DataDir.Origin, "default: the user's state folder")},
		{"", "listen", c.Listen.Value, c.Listen.Origin},
		{"", "log_format", c.LogFormat.Value, c.LogFormat.Origin},
	}
	if len(c.Sources) == 0 {
		lines = append(lines, line{"", "sources", []string{}, "none configured"})
	} else {
		lines = append(lines, line{"", "sources", nil, c.File})
	}
	for _, s := range c.Sources {
		lines = append(lines, s.lines(c.File)...)
	}
	for _, l := range lines {
		if err := l.print(w); err != nil {
			return err
		}
	}
	return nil
}

// lines are the source's settings, defaults filled in, secrets by name.
func (s sourceConfig) lines(file string) []line {
	list := []line{
		{"  - ", "name", s.Name, fmt.Sprintf("%s:%d", file, s.Line)},
		{"    ", "kind", string(s.Kind), ""},
	}
	if s.PublicURL != "" {
		list = append(list, line{"    ", "public_url", s.PublicURL, ""})
	}
	if s.Kind == kindOmbori {
		list = append(list, line{"    ", "header", s.Header, ""}, line{"    ", "serving_tab", s.ServingTab, ""})
	}
	if s.Kind == kindSuperOffice {
		list = append(list, line{"    ", "unassigned_owner", s.UnassignedOwner, ""}, line{"    ", "context", s.Context, ""})
	}
	list = append(list,
		line{"    ", "secrets", s.secretNames(), ""},
		line{"    ", "timezone", s.Location.String(), ""},
		line{"    ", "replay_window", short(s.ReplayWindow), ""},
		line{"    ", "expire_after", short(s.ExpireAfter), ""},
		line{"    ", "silent_after", short(s.SilentAfter), ""})
	if len(s.Queues) > 0 {
		list = append(list, line{"    ", "queues", s.Queues, ""})
	}
	return list
}

// short writes a duration as people do: 24h, not 24h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (l line) print(w io.Writer) error {
	value := ""
	if l.value != nil {
		text, err := yaml.MarshalWithOptions(l.value, yaml.Flow(true))
		if err != nil {
			return fmt.Errorf("print %s: %w", l.key, err)
		}
		value = " " + strings.TrimSpace(string(text))
	}
	origin := ""
	if l.origin != "" {
		origin = "  # " + l.origin
	}
	_, err := fmt.Fprintf(w, "%s%s:%s%s\n", l.indent, l.key, value, origin)
	return err
}

// withoutPassword rebuilds a connection string from its harmless parts, whatever form it had.
func withoutPassword(url string) string {
	if url == "" {
		return ""
	}
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return "unreadable"
	}
	password := ""
	if c.Password != "" {
		password = ":***"
	}
	return fmt.Sprintf("postgres://%s%s@%s:%d/%s", c.User, password, c.Host, c.Port, c.Database)
}

// counted is "1 source" or "3 sources".
func counted[N int | int64](n N, noun string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
