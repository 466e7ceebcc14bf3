package bench

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// postgres is the first process of the database's server; 0 when it is not on this machine, or the system doesn't tell.
type postgres int

// tick is Linux's unit of processor time in /proc.
const tick = 10 * time.Millisecond

// findPostgres finds the server by the process that answers us.
func findPostgres(ctx context.Context, pool *pgxpool.Pool) (postgres, error) {
	var backend int
	if err := pool.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&backend); err != nil {
		return 0, fmt.Errorf("ask for the server's process: %w", err)
	}
	s, ok := readStat(strconv.Itoa(backend))
	if !ok || !strings.HasPrefix(s.name, "postgres") {
		return 0, nil
	}
	return postgres(s.parent), nil
}

// cpu is the processor time that the server and all its processes have taken so far, also for others than us.
func (p postgres) cpu() time.Duration {
	if p == 0 {
		return 0
	}
	first, _ := readStat(strconv.Itoa(int(p)))
	sum := first.own + first.children
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, entry := range processes {
		if s, ok := readStat(entry.Name()); ok && s.parent == int(p) {
			sum += s.own
		}
	}
	return sum
}

// stat is what Linux tells of a process.
type stat struct {
	name          string
	parent        int
	own, children time.Duration // processor time; that of children counts when they have ended
}

func readStat(pid string) (stat, bool) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return stat{}, false
	}
	return parseStat(string(text))
}

// parseStat reads `pid (name) state ppid …`, of which the name may hold anything.
func parseStat(text string) (stat, bool) {
	_, rest, ok := strings.Cut(text, "(")
	end := strings.LastIndex(rest, ")")
	if !ok || end < 0 {
		return stat{}, false
	}
	fields := strings.Fields(rest[end+1:])
	if len(fields) < 15 {
		return stat{}, false
	}
	ticks := func(i int) time.Duration {
		n, _ := strconv.ParseInt(fields[i], 10, 64) // the system writes nothing else
		return time.Duration(n) * tick
	}
	parent, err := strconv.Atoi(fields[1])
	return stat{name: rest[:end], parent: parent, own: ticks(11) + ticks(12), children: ticks(13) + ticks(14)}, err == nil
}
