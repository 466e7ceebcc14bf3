package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"queuetrack/migrations/localpg"
)

func newConfig(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "config",
		Short: "Check or print the settings",
	}, newConfigCheck(a), newConfigPrint(a))
}

func newConfigCheck(a *app) *cobra.Command {
	var capture, name string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say whether the settings are right, and every mistake's line if not",
		Long: `Reads defaults, file, environment and flags as serve does, the secrets too, and touches nothing else.
Exit code 1 when there are mistakes.

With --signature it says whether the configuration verifies a captured delivery, by which secret, and if not, what is in
the way: for Qminder which spelling of public_url would have verified it, for all a missing header, a value of another
form, a changed body. It prints neither secrets nor signatures, and is a diagnosis only: serve accepts by the configured
URL and by nothing else. Exit code 0 when the configuration verifies the delivery as it is, 1 when it does not, 2 when
the capture can't be read.

FILE is the raw HTTP request: request line, headers, an empty line, the body byte for byte ('-': standard input). The
source is the one that its path names, /webhooks/NAME, or --source. To get one, let your TLS proxy point to a listener
instead of queuetrack for one delivery, and end it with Ctrl-C when that has come:

  nc -l 8099 > captured.http       (on some systems: nc -l -p 8099)

or put a recording proxy between, and export the raw request from it. Don't open the file in an editor that adds a line
end. It holds visitors' data, and Ombori's header its secret: delete it afterwards.`,
		Example: `  queuetrack config check --config queuetrack.yaml
  queuetrack config check --config queuetrack.yaml --signature captured.http
  nc -l 8099 | queuetrack config check --config queuetrack.yaml --signature - --source city`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if capture != "" {
				return a.checkSignature(cmd.Context(), capture, name)
			}
			if cmd.Flags().Changed("signature") || name != "" {
				return usageError{errors.New("--source and --signature go together: name the captured delivery with --signature FILE")}
			}
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
	cmd.Flags().StringVar(&capture, "signature", "", "a captured delivery: say whether it verifies, and why not; `FILE`, or '-'")
	cmd.Flags().StringVar(&name, "source", "", "the `NAME` of the captured delivery's source (default: as its path says)")
	return cmd
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
	database, data := c.DatabaseURL, c.dataDir()
	database.Value = withoutPassword(database.Value)
	lines := []line{
		{"", "database_url", database.Value, first(database.Origin, "default: a private Postgres")},
		{"", "data_dir", data.Value, data.Origin},
		{"", "listen", c.Listen.Value, c.Listen.Origin},
		{"", "log_format", c.LogFormat.Value, c.LogFormat.Origin},
		{"", "admin_key_file", c.Access.AdminKeyFile.Value, c.Access.AdminKeyFile.Origin},
		{"", "trusted_proxies", c.Access.proxyList(), c.Access.TrustedProxies.Origin},
		{"", "rate_limit", c.Access.perSecond(), c.Access.RateLimit.Origin},
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

// dataDir is the folder that a private Postgres would be in.
func (c config) dataDir() setting {
	if c.DataDir.Value != "" {
		return c.DataDir
	}
	folder, err := localpg.DefaultDataDir()
	if err != nil {
		return setting{"", "default: the user's state folder, but there is none: " + err.Error()}
	}
	return setting{folder, "default: the user's state folder"}
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
