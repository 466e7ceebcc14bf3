package dbtest

import (
	"os"
	"testing"
)

// serverVar names the variable that tests take their server from before any other.
const serverVar = "TEST_DATABASE_URL"

// Server returns the URL of the server that this test binary uses, its maintenance database.
func Server(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(serverVar); url != "" {
		return url
	}
	t.Fatalf("no test database: set %s", serverVar)
	return ""
}
