package doctor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the tests look.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// verdicts are the findings without their words.
func verdicts(found []Finding) map[string]Verdict {
	all := map[string]Verdict{}
	for _, f := range found {
		all[f.Check] = f.Verdict
	}
	return all
}

// equal fails the test with the difference.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// found is what a look comes to.
func found(t *testing.T, findings []Finding, err error) []Finding {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Verdict != OK && f.Verdict != Note && f.Do == "" {
			t.Errorf("%s: %s: nothing to do about it", f.Check, f.Found)
		}
	}
	return findings
}

func exec(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
