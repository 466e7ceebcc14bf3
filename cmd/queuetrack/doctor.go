package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/cobra"

	"queuetrack/cmd/queuetrack/doctor"
)

// checkTimeout bounds each check of doctor.
const checkTimeout = 5 * time.Second

func newDoctor(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Tell what is wrong with configuration, database, sources and clocks, and how to mend it",
		Long: `Looks at the configuration, its secrets and the rights of their files; signs a delivery as each vendor would, and
verifies it; looks at the database, its schema and its settings; at what each source sent, what was refused and why, and
which secret verified; at clocks, projections, and the server on the listen address. Each finding is ok, a note, a warning
or a problem, with what to do about it.

It changes nothing, and works beside a running server, without one, and without the database: then it says what can be said.
A private Postgres that is not running is started for the look and stopped again; one that isn't there yet is not made.
No check takes longer than ` + checkTimeout.String() + `. Exit code 0 when nothing is a problem, else 1.`,
		Example: `  queuetrack doctor --config queuetrack.yaml
  queuetrack doctor --config queuetrack.yaml --json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.doctor(cmd.Context(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the findings as JSON")
	return cmd
}

func (a *app) doctor(ctx context.Context, asJSON bool) (err error) {
	c, wrong, err := a.merge()
	if err != nil && !errors.As(err, &wrong) {
		return err
	}
	x := &examination{config: c, mistakes: wrong, now: time.Now}
	checks := slices.Concat(x.configuration(), x.signatures())
	more, end := x.database(ctx)
	defer func() { err = errors.Join(err, end()) }()
	checks = append(checks, more...)
	checks = append(checks, x.server()...)
	sections := doctor.Examine(ctx, checks, checkTimeout)
	a.sameConfig(sections)
	if err := ctx.Err(); err != nil {
		return err // cut short, it would tell of problems that are none
	}
	if asJSON {
		err = doctor.PrintJSON(a.stdout, sections)
	} else {
		err = doctor.Print(a.stdout, sections, a.colour())
	}
	if err == nil && doctor.Count(sections, doctor.Problem) > 0 {
		return errNo
	}
	return err
}

// sameConfig has the commands that findings name read the same configuration as doctor did, so that they can be copied.
func (a *app) sameConfig(sections []doctor.Section) {
	if a.flags.config == "" {
		return // it is in the environment, for them too
	}
	for _, s := range sections {
		for i := range s.Findings {
			s.Findings[i].Do = strings.ReplaceAll(s.Findings[i].Do, "'queuetrack ", "'queuetrack --config "+a.flags.config+" ")
		}
	}
}

// colour reports whether what is printed may be coloured: on a terminal, unless its user said no (no-color.org).
func (a *app) colour() bool {
	vars := env.ToMap(a.environ)
	return isTerminal(a.stdout) && vars["NO_COLOR"] == "" && vars["TERM"] != "dumb"
}

// examination is one run of doctor.
type examination struct {
	config   config
	mistakes mistakes // in the configuration; what of it is right is looked at all the same
	now      func() time.Time
}

// sources are the configured ones that can be looked up: each name once, and no name that can't be one.
func (x *examination) sources() []sourceConfig {
	var list []sourceConfig
	for _, s := range x.config.Sources {
		again := slices.ContainsFunc(list, func(o sourceConfig) bool { return o.Name == s.Name })
		if sourceName.MatchString(s.Name) && !again {
			list = append(list, s)
		}
	}
	return list
}

// known is a check whose findings are known already.
func known(section string, findings ...doctor.Finding) doctor.Check {
	return doctor.Check{Section: section, Look: func(context.Context) ([]doctor.Finding, error) { return findings, nil }}
}

// looked is a check that can't fail.
func looked(section, name string, look func() []doctor.Finding) doctor.Check {
	return doctor.Check{Section: section, Name: name, Look: func(context.Context) ([]doctor.Finding, error) { return look(), nil }}
}

// comma joins names for a person: "a, b".
func comma(names []string) string { return strings.Join(names, ", ") }
