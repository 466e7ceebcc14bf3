package main

import (
	"crypto/sha256"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"queuetrack/eventstore/source"
)

// rowFiles lists, of every package that has a part in it, the files that decide what the rows of the read models hold:
// after a change of one of them, the same log may fold to other rows. Empty: all of the package's files do.
var rowFiles = map[string][]string{
	"eventstore/ticket":             nil,
	"eventstore/source/qminder":     nil,
	"eventstore/source/ombori":      nil,
	"eventstore/source/superoffice": nil,
	"eventstore/source":             {"object.go", "scan.go", "source.go", "text.go", "time.go"},
	"projection": {
		"bulk.go", "copy.go", "fill.go", "fold.go", "folded.go", "own.go", "page.go", "projection.go", "revival.go", "rows.go",
		"state.go",
	},
	"projection/board": {"board.go", "fill.go", "write.go"},
	"projection/estimate": {
		"encode.go", "estimate.go", "fill.go", "fold.go", "line.go", "move.go", "past.go", "rows.go", "settle.go", "window.go", "write.go",
	},
	"projection/history": {"fill.go", "history.go", "write.go"},
	"projection/wait":    {"fill.go", "wait.go", "write.go", "writehold.go"},
}

// otherFiles are the rest of these packages: they verify signatures, move checkpoints, read, or check.
var otherFiles = map[string][]string{
	"eventstore/source": {"check.go"},
	"projection": {
		"ahead.go", "await.go", "catchup.go", "checkpoints.go", "clear.go", "close.go", "compare.go", "deadletter.go", "doc.go", "drift.go", "evict.go", "expire.go", "generation.go",
		"job.go", "meter.go", "progress.go", "rebuild.go", "retry.go", "revived.go", "runner.go", "runners.go", "seize.go", "shard.go", "share.go", "switch.go",
		"trace.go", "trouble.go", "verify.go", "verifydismissed.go", "verifyrows.go", "view.go",
		"work.go",
	},
	"projection/board":    {"check.go", "compare.go", "names.go", "queues.go", "some.go", "states.go", "tickets.go"},
	"projection/estimate": {"backtest.go", "check.go", "cursor.go", "query.go"},
	"projection/history":  {"at.go", "changed.go", "check.go"},
	"projection/wait": {
		"bucket.go", "calendar.go", "check.go", "count.go", "counts.go", "dropoff.go", "lane.go", "length.go", "measured.go", "packed.go",
		"previous.go", "query.go", "report.go", "run.go", "served.go", "spread.go", "stream.go", "waiting.go", "walk.go",
	},
}

// A changed fold has another fingerprint, so that a running server can tell that its read models were made by another.
func TestFoldFingerprint(t *testing.T) {
	t.Parallel()
	sum := sha256.New()
	for _, name := range sourcesOfRows(t) {
		content, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(sum, "%s\n", name)
		writeTokens(sum, content)
	}
	got := fmt.Sprintf("%x", sum.Sum(nil)[:8])
	if got == foldFingerprint {
		return
	}
	if !*update {
		t.Fatalf("The code that decides what read models hold has changed: its fingerprint is %s, fingerprint.go says %s.\n"+
			"Running servers are to see that a rebuild is due, so run:\n\n\tgo test ./cmd/queuetrack -run Fingerprint -update\n\n"+
			"and commit cmd/queuetrack/fingerprint.go with the change.", got, foldFingerprint)
	}
	content, err := os.ReadFile("fingerprint.go")
	if err != nil {
		t.Fatal(err)
	}
	content = []byte(strings.Replace(string(content), `"`+foldFingerprint+`"`, `"`+got+`"`, 1))
	if err := os.WriteFile("fingerprint.go", content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// sourcesOfRows names the files that count, sorted. A file that is on neither list, or on both, fails the test: whoever
// adds one says which it is.
func sourcesOfRows(t *testing.T) []string {
	t.Helper()
	var count []string
	for _, pkg := range adapters(t) {
		if _, ok := rowFiles[pkg]; !ok {
			t.Errorf("%s decodes, so it decides what rows hold: name it in rowFiles, else a mended adapter mends no history", pkg)
		}
	}
	for pkg, rows := range rowFiles {
		found := goFiles(t, pkg)
		if rows == nil {
			rows = found
		}
		others := otherFiles[pkg]
		for _, name := range found {
			if slices.Contains(rows, name) == slices.Contains(others, name) {
				t.Errorf("%s/%s: does it decide what the read models' rows hold? Name it in rowFiles if so, else in otherFiles", pkg, name)
			}
		}
		for _, name := range slices.Concat(rows, others) {
			if !slices.Contains(found, name) {
				t.Errorf("%s/%s is listed and not there", pkg, name)
			}
		}
		for _, name := range rows {
			count = append(count, path.Join(pkg, name))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	slices.Sort(count)
	return count
}

// adapters names the vendors' packages: the folders of eventstore/source.
func adapters(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("..", "..", "eventstore", "source"))
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "testdata" {
			pkgs = append(pkgs, path.Join("eventstore/source", e.Name()))
		}
	}
	return pkgs
}

// goFiles names a package's files, without tests.
func goFiles(t *testing.T, pkg string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("..", "..", filepath.FromSlash(pkg)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			names = append(names, e.Name())
		}
	}
	return names
}

// writeTokens writes a Go file as its tokens: the same for each platform, each layout and any comments, and for each
// version of Go, which a printer's layout would not be.
func writeTokens(w io.Writer, content []byte) {
	file := token.NewFileSet().AddFile("", -1, len(content))
	var s scanner.Scanner
	s.Init(file, content, nil, 0)
	separator := "" // held back, for layout decides whether one stands before a closing bracket
	for {
		_, tok, literal := s.Scan()
		switch tok { //nolint:exhaustive // of a hundred tokens, these are told apart
		case token.EOF:
			return
		case token.COMMA, token.SEMICOLON:
			separator = tok.String() + "\n"
			continue
		case token.RPAREN, token.RBRACK, token.RBRACE:
			separator = ""
		}
		if literal == "" {
			literal = tok.String()
		}
		fmt.Fprintf(w, "%s%s\n", separator, literal)
		separator = ""
	}
}

func tokensOf(content string) string {
	var b strings.Builder
	writeTokens(&b, []byte(content))
	return b.String()
}

func TestFingerprintOfTokens(t *testing.T) {
	t.Parallel()
	const plain = "package a\n\nfunc f(x, y int) (int, string) { return x + y, \"a b\" }\n"
	for _, same := range []string{
		"// Package a is one.\npackage a\n\nfunc f(x, y int) (int, string) { return x + y, \"a b\" }",
		"package a; func f(x, y int) (int, string) {\r\n\treturn x+y, /* so */ \"a b\"\r\n}\r\n",
		"package a\nfunc f(\n\tx, y int,\n) (\n\tint,\n\tstring,\n) {\n\treturn x + y, \"a b\"\n}\n",
	} {
		if tokensOf(same) != tokensOf(plain) {
			t.Errorf("has other tokens:\n%s", same)
		}
	}
	for _, other := range []string{
		"package a\n\nfunc f(x, y int) (int, string) { return x - y, \"a b\" }\n",
		"package a\n\nfunc f(x, y int) (int, string) { return x + y, \"a  b\" }\n",
		"package a\n\nfunc f(x, y, int) (int, string) { return x + y, \"a b\" }\n",
		"package a\n\nfunc f(xy int) (int, string) { return x + y, \"a b\" }\n",
	} {
		if tokensOf(other) == tokensOf(plain) {
			t.Errorf("has the same tokens:\n%s", other)
		}
	}
}

// Only what an adapter decodes by is drift.
func TestSettingsFingerprint(t *testing.T) {
	t.Parallel()
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	of := func(k kind, change func(*sourceConfig)) string {
		s := sourceConfig{Kind: k, Config: source.Config{Name: "city", ServingTab: true, UnassignedOwner: 1}}
		change(&s)
		return s.settings()
	}
	same := func(*sourceConfig) {}
	for _, c := range []struct {
		name   string
		kind   kind
		change func(*sourceConfig)
		drift  bool
	}{
		{"secrets", kindQminder, func(s *sourceConfig) { s.Secrets = []source.Secret{{Name: "env:B", Value: []byte("b")}} }, false},
		{"address", kindQminder, func(s *sourceConfig) { s.PublicURL = "https://example.com/webhooks/city" }, false},
		{"queues", kindQminder, func(s *sourceConfig) { s.Queues = map[string]queueConfig{"1": {Name: "Visas"}} }, false},
		{"expiry", kindQminder, func(s *sourceConfig) { s.ExpireAfter = time.Hour }, false},
		{"the zone that it has anyway", kindOmbori, func(s *sourceConfig) { s.Zone = time.UTC }, false},
		{"another vendor's setting", kindQminder, func(s *sourceConfig) { s.ServingTab = false }, false},
		{"kind", kindQminder, func(s *sourceConfig) { s.Kind = kindOmbori }, true},
		{"zone", kindQminder, func(s *sourceConfig) { s.Zone = oslo }, true},
		{"serving tab", kindOmbori, func(s *sourceConfig) { s.ServingTab = false }, true},
		{"nobody's owner", kindSuperOffice, func(s *sourceConfig) { s.UnassignedOwner = 2 }, true},
	} {
		if got := of(c.kind, c.change) != of(c.kind, same); got != c.drift {
			t.Errorf("%s: drift is %v, want %v", c.name, got, c.drift)
		}
	}
}
