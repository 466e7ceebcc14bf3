package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"queuetrack/migrations"
)

func newMigrate(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up, show it, or take a step back",
	}, newMigrateUp(a), newMigrateStatus(a), newMigrateDown(a))
}

func newMigrateUp(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "up",
		Short:   "Apply every pending migration",
		Long:    "Applies every pending migration, each in its own transaction. Any number of processes may do so at once.",
		Example: `  queuetrack migrate up --database-url postgres://queuetrack@localhost/queuetrack`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onDatabase(cmd.Context(), joinDatabase, func(ctx context.Context, url string, logger *slog.Logger) error {
				if err := migrations.Up(ctx, url, logger); err != nil {
					return err
				}
				fmt.Fprintln(a.stdout, "ok: the schema is up to date")
				return nil
			})
		},
	}
}

func newMigrateStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "List the migrations and when each was applied",
		Long:    "Lists the migrations and when each was applied. Changes nothing. Exit code 1 when one is pending or unknown.",
		Example: `  queuetrack migrate status`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onDatabase(cmd.Context(), existingDatabase, func(ctx context.Context, url string, _ *slog.Logger) error {
				list, err := migrations.Status(ctx, url)
				if err != nil {
					return err
				}
				return a.printMigrations(list)
			})
		},
	}
}

func (a *app) printMigrations(list []migrations.Migration) error {
	level := true
	for _, m := range list {
		name, applied := m.Name, m.AppliedAt.UTC().Format("2006-01-02 15:04:05Z")
		if m.AppliedAt.IsZero() {
			applied, level = "pending", false
		}
		if name == "" {
			name, level = "unknown to this binary", false
		}
		fmt.Fprintf(a.stdout, "%-21s %5d  %s\n", applied, m.Version, name)
	}
	if !level {
		return errNo
	}
	return nil
}

func newMigrateDown(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Take back the latest migration, and with it what it created",
		Long: `Takes back the latest migration. What it created is gone; the read models are folded anew from the log once the
schema is up again. The log itself is not given up. Stop the servers first: they can't answer meanwhile.
Exit code 1 when there is nothing to take back.`,
		Example: `  queuetrack migrate down`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onDatabase(cmd.Context(), existingDatabase, func(ctx context.Context, url string, logger *slog.Logger) error {
				if err := migrations.Down(ctx, url, logger); err != nil {
					return err
				}
				fmt.Fprintln(a.stdout, "ok: the latest migration is taken back")
				return nil
			})
		},
	}
}

// opening finds the database: joinDatabase, which may make it, or existingDatabase.
type opening func(context.Context, config, *slog.Logger) (*database, error)

// onDatabase runs do on the database of the settings, whatever its schema.
func (a *app) onDatabase(ctx context.Context, open opening, do func(context.Context, string, *slog.Logger) error) (err error) {
	c, err := a.loadConfig()
	if err != nil {
		return err
	}
	logger := c.logger(a.stderr, slog.LevelInfo)
	db, err := open(ctx, c, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	return do(ctx, db.url, logger)
}
