package api

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// askProblems asks for what explains problems.
func askProblems(t *testing.T, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	NewRouter(slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	return w
}

// Every constant of problem.go is listed: a new kind is explained, or this fails.
func TestKindsAreAllKinds(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && len(spec.Names) == 1 && strings.HasPrefix(spec.Names[0].Name, "Kind") {
			declared = append(declared, strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	for _, k := range declared {
		if !slices.Contains(Kinds(), Kind(k)) {
			t.Errorf("Kinds lacks %s", k)
		}
	}
	if len(declared) != len(Kinds()) {
		t.Errorf("%d kinds are declared, %d listed", len(declared), len(Kinds()))
	}
}

func TestEveryKindIsExplained(t *testing.T) {
	t.Parallel()
	seen := map[string]Kind{}
	for _, k := range Kinds() {
		page := askProblems(t, NewProblem(k, "").Type, "text/html")
		if page.Code != http.StatusOK || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s: page %d %s", k, page.Code, page.Header().Get("Content-Type"))
		}
		var e explained
		if err := json.Unmarshal(askProblems(t, NewProblem(k, "").Type, "*/*").Body.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		status, title := k.describe()
		if e.Status != status || e.Title != title || e.Means == "" || e.Mend == "" {
			t.Errorf("%s is explained as %+v", k, e)
		}
		if other, twice := seen[e.Means]; twice {
			t.Errorf("%s and %s mean the same", k, other)
		}
		seen[e.Means] = k
	}
}

func TestProblemsListAndUnknownKind(t *testing.T) {
	t.Parallel()
	all := askProblems(t, ProblemsPath, "text/html,*/*;q=0.8").Body.String()
	for _, k := range Kinds() {
		if !strings.Contains(all, `href="/problems/`+string(k)+`"`) {
			t.Errorf("the list has no %s", k)
		}
	}
	if w := askProblems(t, ProblemsPath+"/no-such-kind", "text/html"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "GET /problems lists all") {
		t.Errorf("an unknown kind: %d %s", w.Code, w.Body)
	}
	if policy := askProblems(t, ProblemsPath, "text/html").Header().Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
}
