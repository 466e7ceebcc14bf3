package migrations_test

import (
	"testing"

	"queuetrack/migrations"
)

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]string{
		"postgres://u:p@h:1/postgres":              "postgres://u:p@h:1/x",
		"postgres://u@h/?sslmode=disable&dbname=":  "postgres://u@h/x?sslmode=disable",
		"postgres://u@/queuetrack?host=%2Frun%2Fp": "postgres://u@/x?host=%2Frun%2Fp",
		"host=/tmp user=u":                         "host=/tmp user=u dbname=x",
	} {
		if got, err := migrations.WithDatabase(server, "x"); err != nil || got != want {
			t.Errorf("WithDatabase(%s) = %s, %v; want %s", server, got, err, want)
		}
	}
}
