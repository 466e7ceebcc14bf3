package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"queuetrack/migrations"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the program and of its schema",
		Long:    "Prints the version or commit that the program was built from, Go's version, and the schema that it wants.",
		Example: `  queuetrack version`,
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			schema, err := schemaVersion()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "queuetrack %s\ngo %s %s/%s\nschema %s\n",
				buildVersion(), strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH, schema)
			return err
		},
	}
}

// schemaVersion is the name of the last migration.
func schemaVersion() (string, error) {
	files, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("find the migrations: %w", err)
	}
	return strings.TrimSuffix(files[len(files)-1], ".sql"), nil
}

// buildVersion is the module's version, else the commit, else "unknown".
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, changed := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return commit + changed
}

// buildDigest tells this binary from every other, also from one of the same commit with changes: what a client kept of
// one's answers is no answer of the other's. Its file's SHA-256; the version where the file can't be read.
func buildDigest() string {
	path, err := os.Executable()
	if err != nil {
		return buildVersion()
	}
	file, err := os.Open(path)
	if err != nil {
		return buildVersion()
	}
	defer func() { _ = file.Close() }() // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return buildVersion()
	}
	return hex.EncodeToString(sum.Sum(nil))
}
