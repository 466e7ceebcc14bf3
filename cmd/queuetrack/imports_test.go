package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// laws list every package of ours and what it may import: of ours all that it names, of others everything but what
// it forbids. An arrow never points up, siblings never meet, only cmd wires. Test files are free.
var laws = map[string]law{
	"eventstore":        {forbids: []string{"net/http"}},
	"eventstore/ticket": {standardOnly: true, forbids: []string{"net", "net/http", "os", "io", "database/sql", "math/rand"}},

	"eventstore/archive": {may: []string{"eventstore"}, forbids: append([]string{"net/http"}, databases...)},

	"eventstore/source":             {may: []string{"eventstore/ticket"}, forbids: databases},
	"eventstore/source/qminder":     {may: []string{"eventstore/source", "eventstore/ticket"}, forbids: databases},
	"eventstore/source/ombori":      {may: []string{"eventstore/source", "eventstore/ticket"}, forbids: databases},
	"eventstore/source/superoffice": {may: []string{"eventstore/source", "eventstore/ticket"}, forbids: databases},

	"projection":         {may: []string{"eventstore", "eventstore/source", "eventstore/ticket"}, forbids: []string{"net/http"}},
	"projection/board":   {may: readModel, forbids: []string{"net/http"}},
	"projection/history": {may: readModel, forbids: []string{"net/http"}},
	"projection/wait":    {may: readModel, forbids: []string{"net/http"}},

	"projection/estimate": {may: readModel, forbids: []string{"net/http"}},

	"api":           {may: []string{"eventstore", "eventstore/ticket", "projection", "migrations"}},
	"api/access":    {may: []string{"api"}},
	"api/render":    {may: []string{"projection/estimate", "projection/wait"}, forbids: append([]string{"net/http"}, databases...)},
	"api/dashboard": {may: []string{"api", "api/render"}, forbids: databases},
	"api/ingest":    {may: []string{"api", "eventstore", "eventstore/source", "eventstore/ticket"}, forbids: databases},
	"api/query": {
		may: []string{
			"api", "api/render", "eventstore", "eventstore/ticket",
			"projection", "projection/board", "projection/estimate", "projection/history", "projection/wait",
		},
		forbids: databases,
	},

	"migrations":         {forbids: []string{"net/http"}},
	"migrations/localpg": {forbids: []string{"net/http"}},
	"migrations/dbtest":  {may: []string{"migrations", "migrations/localpg"}},

	"cmd/queuetrack/demo":    {forbids: databases},
	"cmd/queuetrack/doctor":  {may: []string{"api/ingest", "eventstore", "projection", "projection/wait"}, forbids: []string{"net/http"}},
	"cmd/queuetrack/faults":  {standardOnly: true}, // tests only
	"cmd/queuetrack/bench":   {may: []string{"eventstore", "projection", "projection/wait"}},
	"cmd/queuetrack/browser": {standardOnly: true}, // tests only
	"cmd/queuetrack": {may: []string{
		"api", "api/access", "api/dashboard", "api/ingest", "api/query", "api/render", "cmd/queuetrack/bench", "cmd/queuetrack/demo",
		"cmd/queuetrack/doctor",
		"eventstore", "eventstore/archive", "eventstore/source", "eventstore/source/ombori", "eventstore/source/qminder",
		"eventstore/source/superoffice", "eventstore/ticket", "migrations", "migrations/localpg",
		"projection", "projection/board", "projection/estimate", "projection/history", "projection/wait",
	}},
}

// law is what one package may import.
type law struct {
	may          []string // of ours
	standardOnly bool     // nothing of others but the standard library
	forbids      []string // of others, with all below it
}

var (
	readModel = []string{"eventstore", "eventstore/source", "eventstore/ticket", "projection"}
	databases = []string{"database/sql", "github.com/jackc/pgx"}
)

// banned are names that say nothing about what is inside, and one that Go itself would misread.
var banned = []string{"util", "utils", "common", "models", "helpers", "vendor"}

const module = "queuetrack"

func TestImportLaws(t *testing.T) {
	t.Parallel()
	found := packages(t, filepath.Join("..", ".."))
	for pkg, imports := range found {
		if slices.ContainsFunc(strings.Split(pkg, "/"), func(part string) bool { return slices.Contains(banned, part) }) {
			t.Errorf("%s: a package is never called %s", pkg, banned)
		}
		l, known := laws[pkg]
		if !known {
			t.Errorf("%s: an unknown package; say in laws what it may import", pkg)
			continue
		}
		for _, imported := range imports {
			if why := l.refuses(imported); why != "" {
				t.Errorf("%s imports %s: %s", pkg, imported, why)
			}
		}
	}
	for pkg := range laws {
		if _, ok := found[pkg]; !ok {
			t.Errorf("laws name %s, which does not exist", pkg)
		}
	}
}

// refuses says why the law is broken, "" when it is not.
func (l law) refuses(imported string) string {
	if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
		if !slices.Contains(l.may, ours) {
			return "not among what it may know"
		}
		return ""
	}
	for _, f := range l.forbids {
		if imported == f || strings.HasPrefix(imported, f+"/") {
			return "forbidden to it"
		}
	}
	if host, _, _ := strings.Cut(imported, "/"); l.standardOnly && strings.Contains(host, ".") {
		return "standard library only"
	}
	return ""
}

// packages reads the imports of every package below root, test files left out.
func packages(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		pkg := path.Dir(name)
		if entry.IsDir() || pkg == "." || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		found[pkg] = append(found[pkg], "")[:len(found[pkg])]
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[pkg] = append(found[pkg], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The test of the test: each kind of broken law is seen.
func TestLawsRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pkg, imported string
		refused       bool
	}{
		{"eventstore", "queuetrack/eventstore/ticket", true},
		{"eventstore/ticket", "github.com/google/uuid", true},
		{"eventstore/ticket", "time", false},
		{"eventstore/source/qminder", "queuetrack/eventstore/source/ombori", true},
		{"projection/board", "queuetrack/projection/wait", true},
		{"projection/board", "queuetrack/projection", false},
		{"projection", "queuetrack/projection/board", true},
		{"projection", "net/http", true},
		{"api/query", "github.com/jackc/pgx/v5/pgxpool", true},
		{"api/query", "queuetrack/api/ingest", true},
		{"api/query", "queuetrack/api/access", true},
		{"api/query", "queuetrack/projection/wait", false},
	} {
		if got := laws[c.pkg].refuses(c.imported) != ""; got != c.refused {
			t.Errorf("%s imports %s: refused %v, want %v", c.pkg, c.imported, got, c.refused)
		}
	}
}
