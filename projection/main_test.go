package projection_test

import (
	"flag"
	"testing"

	"queuetrack/migrations/dbtest"
)

// TestMain has the properties repeat the same runs, so that a change turns them red and not chance. The long forms
// (-rapid.checks) draw anew each time.
func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["rapid.seed"] && !given["rapid.checks"] {
		_ = flag.Set("rapid.seed", "20261121")
	}
	dbtest.Main(m)
}
