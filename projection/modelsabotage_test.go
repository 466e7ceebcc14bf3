package projection_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
)

// The model check can fail: each way to spoil the product is found within 200 runs. It takes a minute or two, and so it
// runs only in the long form: -projection.sabotage
var sabotaged = flag.Bool("projection.sabotage", false, "spoil the product in several ways, and have the model check find each")

func TestModelFindsSabotage(t *testing.T) {
	if !*sabotaged {
		t.Skip("only with -projection.sabotage")
	}
	for name, s := range map[string]sabotage{
		"rows are committed before the checkpoint": {models: func(pool *pgxpool.Pool, all []projection.ReadModel) []projection.ReadModel {
			return append([]projection.ReadModel{hasty{all[0], pool}}, all[1:]...)
		}},
		"neither epoch nor position are compared when the checkpoint moves": {rewrite: map[string]string{
			"epoch = $3 AND position = $4": "$3::bigint > 0 AND $4::bigint >= 0",
		}},
		"a switch goes back in time": {rewrite: map[string]string{
			"SELECT position\n\t\t\tFROM shard\n\t\t\tWHERE source = $1 AND generation = $2\n\t\t\tFOR UPDATE": "SELECT 0::bigint\n\t\t\tFROM shard\n\t\t\tWHERE source = $1 AND generation = $2\n\t\t\tFOR UPDATE",
		}},
		"rows change at a checkpoint, and nothing tells": {rewrite: map[string]string{
			"SET epoch = epoch + 1, lease_until = '-infinity'": "SET epoch = epoch, lease_until = '-infinity'",
		}},
		"an answer is not one snapshot": {rewrite: map[string]string{
			"begin isolation level repeatable read read only": "begin isolation level read committed read only",
		}},
		"a retry doesn't take the shard": {rewrite: map[string]string{
			"SET owner = $3, epoch = epoch + 1, lease_until": "SET owner = $3, epoch = epoch, lease_until",
		}},
		"whoever lost a generation goes on with it": {rewrite: map[string]string{
			"WHERE generation = $1 AND epoch = $2\n\t\tFOR SHARE": "WHERE generation = $1 AND $2::bigint > 0\n\t\tFOR SHARE",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, "rapid.checks", "200")
			set(t, "rapid.shrinktime", "1s")
			set(t, "rapid.nofailfile", "true")
			trial := &trial{T: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				checkModel(t, trial, dbtest.NewURL(t), s)
			}()
			<-done
			if !trial.failed {
				t.Error("not found in 200 runs")
			}
			t.Log(trial.first())
		})
	}
}

// set sets a flag for the time of a test.
func set(t *testing.T, name, value string) {
	t.Helper()
	before := flag.Lookup(name).Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, before) })
}

// hasty commits its rows at once.
type hasty struct {
	projection.ReadModel
	pool *pgxpool.Pool
}

func (h hasty) Write(ctx context.Context, _ pgx.Tx, set projection.Set, name string, changes []projection.Change) error {
	return pgx.BeginFunc(ctx, h.pool, func(tx pgx.Tx) error { return h.ReadModel.Write(ctx, tx, set, name, changes) })
}

// trial is a test that is meant to fail.
type trial struct {
	*testing.T
	failed bool
	said   []string
}

func (c *trial) Errorf(format string, args ...any) { c.failed = true; c.say(format, args) }
func (c *trial) Fatalf(format string, args ...any) { c.Errorf(format, args...); c.FailNow() }
func (c *trial) Error(args ...any)                 { c.Errorf("%s", args...) }
func (c *trial) Fatal(args ...any)                 { c.Fatalf("%s", args...) }
func (c *trial) Logf(format string, args ...any)   { c.say(format, args) }
func (c *trial) Log(...any)                        {}
func (c *trial) Fail()                             { c.failed = true }
func (c *trial) Failed() bool                      { return c.failed }

func (c *trial) FailNow() {
	c.failed = true
	runtime.Goexit()
}

func (c *trial) say(format string, args []any) { c.said = append(c.said, fmt.Sprintf(format, args...)) }

// first is how it failed, in short.
func (c *trial) first() string {
	for _, line := range c.said {
		if strings.Contains(line, "failed after") || strings.Contains(line, "flaky") || strings.Contains(line, "panic after") {
			return fmt.Sprintf("%.600s", line)
		}
	}
	return "it did not fail"
}
