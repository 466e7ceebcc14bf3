package projection

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The processes share the shards by a deal. Each has a row in table runner, with a lease: the sources that it is configured
// with, and which of their shards it has been dealt. It claims these and no others, and gives back what it is dealt no
// longer, between two pages.
//
// The rule: no shard, and no chain of shards handed on from one to the next, can go from a process to another that has
// two fewer. So those with the same sources differ by one at most, and where sources differ, shares are as even as they
// let them be. A halted shard counts: it is somebody's too.
//
// While versions run side by side, as in a deployment that rolls, a source is dealt to those whose code is the serving
// generation's, if one of them has it: so the old one folds until a rebuild by the new one has switched, the new one from
// then on, and no generation becomes a mixture. Where nobody has that code, whoever is there folds: to stand still would be
// worse than drift, which is recorded and told. Only code counts, and not the settings of a source: two that differ
// in these are a mistake, which drift tells too, and a deal can't say which of them is right.
//
// Everybody looks at the table a few times a second. Whoever finds that a row's lease ran out, or that the rule does not
// hold, locks all rows and deals anew: first what nobody has, each shard to the one with the fewest, then what is needed
// for the rule to hold. All else stays where it is, and a deal of what was dealt changes nothing.
//
// The table says who should fold, and a shard's epoch who may: two that disagree for a moment do no harm.

// glances is how many times in a lease a runner looks at the table, at least.
const glances = 40

// hand is a runner's row.
type hand struct {
	Owner   string
	Code    string   // Fingerprint.Code of what it folds with
	Sources []string // it is configured with these
	Shards  []string // it is to claim these
	Alive   bool     // its lease runs

	may []string // of Sources, those that it can be dealt
}

// deal gives each source that somebody is configured with to one of them, and moves no more than the rule needs. code is
// what the serving generation was begun with.
func deal(hands []*hand, code string) {
	admit(hands, code)
	dealt := map[string]bool{}
	for _, h := range hands {
		h.Shards = slices.DeleteFunc(h.Shards, func(s string) bool {
			mine := !dealt[s] && slices.Contains(h.may, s)
			dealt[s] = dealt[s] || mine
			return !mine
		})
	}
	for _, source := range sourcesOf(hands) {
		if !dealt[source] {
			poorest(hands, source).add(source)
		}
	}
	for even(hands) {
	}
}

// admit tells what each can be dealt: of its sources those that nobody with the right code has, unless its own is right.
func admit(hands []*hand, code string) {
	right := map[string]bool{}
	for _, h := range hands {
		for _, s := range h.Sources {
			right[s] = right[s] || h.Code == code
		}
	}
	for _, h := range hands {
		h.may = slices.DeleteFunc(slices.Clone(h.Sources), func(s string) bool { return right[s] && h.Code != code })
	}
}

// sourcesOf is what they are configured with, in order.
func sourcesOf(hands []*hand) []string {
	all := map[string]bool{}
	for _, h := range hands {
		for _, s := range h.Sources {
			all[s] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// poorest is the one with the fewest shards of those who can be dealt the source.
func poorest(hands []*hand, source string) *hand {
	var least *hand
	for _, h := range hands {
		if slices.Contains(h.may, source) && (least == nil || len(h.Shards) < len(least.Shards)) {
			least = h
		}
	}
	return least
}

// even takes the runners from the richest on and relieves the first that can be relieved, by a shard. It reports false
// when the rule holds.
func even(hands []*hand) bool {
	richest := slices.SortedStableFunc(slices.Values(hands), func(a, b *hand) int { return cmp.Compare(len(b.Shards), len(a.Shards)) })
	for _, h := range richest {
		if chain := h.relief(hands); chain != nil {
			for _, p := range chain {
				p.from.drop(p.shard)
				p.to.add(p.shard)
			}
			return true
		}
	}
	return false
}

// pass is one shard's way from one runner to another.
type pass struct {
	from, to *hand
	shard    string
}

// relief is the shortest chain by which the runner gets rid of a shard, to the poorest that a chain leads to; nil when
// that one has no two fewer.
func (h *hand) relief(hands []*hand) []pass {
	came := map[*hand]pass{h: {}}
	least := h
	for queue := []*hand{h}; len(queue) > 0; queue = queue[1:] {
		for _, to := range hands {
			shard, ok := queue[0].spare(to)
			if _, seen := came[to]; seen || !ok {
				continue
			}
			came[to] = pass{queue[0], to, shard}
			queue = append(queue, to)
			if len(to.Shards) < len(least.Shards) {
				least = to
			}
		}
	}
	if len(h.Shards) < len(least.Shards)+2 {
		return nil
	}
	var chain []pass
	for at := least; at != h; at = came[at].from {
		chain = append(chain, came[at])
	}
	return chain
}

// spare is a shard that the other one could have instead.
func (h *hand) spare(other *hand) (shard string, ok bool) {
	for _, s := range slices.Backward(h.Shards) {
		if slices.Contains(other.may, s) {
			return s, true
		}
	}
	return "", false
}

func (h *hand) add(shard string) {
	h.Shards = append(h.Shards, shard)
	slices.Sort(h.Shards)
}

func (h *hand) drop(shard string) {
	h.Shards = slices.DeleteFunc(h.Shards, func(s string) bool { return s == shard })
}

// roster is what one runner knows of all of them, and of which generation serves. Safe for concurrent use.
type roster struct {
	pool    *pgxpool.Pool
	owner   string
	code    string // Fingerprint.Code of what it folds with
	sources []string
	lease   time.Duration
	renewed time.Time // when this process last asked for its row's lease

	mu         sync.Mutex
	mine       []string
	generation int
	changed    chan struct{} // closed at the next change
}

func newRoster(pool *pgxpool.Pool, sources []string, code string, lease time.Duration) *roster {
	sources = append([]string{}, sources...) // none is an empty array, not NULL
	return &roster{pool: pool, owner: newOwner(), code: code, sources: sources, lease: lease, changed: make(chan struct{})}
}

// deals reports whether the source's shard is this runner's.
func (m *roster) deals(source string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Contains(m.mine, source)
}

// serves reports whether the generation served at the last look, so that what is dealt was dealt for it. It is a hint: the
// epochs decide who may write.
func (m *roster) serves(generation int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.generation == generation
}

// news is closed when something of that changes: take it first, then ask.
func (m *roster) news() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// learn takes over what a look has shown.
func (m *roster) learn(mine []string, generation int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Equal(m.mine, mine) && m.generation == generation {
		return
	}
	m.mine, m.generation = mine, generation
	close(m.changed)
	m.changed = make(chan struct{})
}

// look renews the runner's own lease in time, reads the table, and deals when that is due. It takes a lease's length at
// most: by then the others deal without us.
func (m *roster) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.lease)
	defer cancel()
	if time.Since(m.renewed) >= m.lease/3 {
		if err := m.announce(ctx); err != nil {
			return fmt.Errorf("announce %s: %w", m.owner, err)
		}
	}
	generation, code, err := servingGeneration(ctx, m.pool)
	if err != nil {
		return err
	}
	hands, err := readHands(ctx, m.pool, selectHands)
	if err == nil && overdue(hands, code) {
		hands, err = m.redeal(ctx, code)
	}
	if err != nil {
		return fmt.Errorf("share the shards out: %w", err)
	}
	var mine []string
	if i := slices.IndexFunc(hands, func(h *hand) bool { return h.Owner == m.owner }); i >= 0 {
		mine = hands[i].Shards
	} else {
		m.renewed = time.Time{} // our lease had run out, and somebody took the row away: the next look joins anew
	}
	m.learn(mine, generation)
	return nil
}

// announce tells the others that this runner lives, for as long as the lease.
func (m *roster) announce(ctx context.Context) error {
	asked := time.Now()
	_, err := m.pool.Exec(ctx, `
		INSERT INTO runner (owner, sources, lease_until, code)
		VALUES ($1, $2, statement_timestamp() + $3::interval, $4)
		ON CONFLICT (owner) DO UPDATE
		SET lease_until = excluded.lease_until`, m.owner, m.sources, m.lease, m.code)
	if err != nil {
		return err
	}
	m.renewed = asked
	return nil
}

// leave takes the runner's row away, so that the others need not wait for its lease to run out.
func (m *roster) leave(ctx context.Context) error {
	_, err := m.pool.Exec(ctx, `
		DELETE FROM runner
		WHERE owner = $1`, m.owner)
	return err
}

const selectHands = `
		SELECT owner, code, sources, shards, lease_until >= statement_timestamp()
		FROM runner
		ORDER BY owner`

func readHands(ctx context.Context, db querier, query string) ([]*hand, error) {
	rows, err := db.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[hand])
}

// overdue reports whether a runner is gone, or a deal would change something.
func overdue(hands []*hand, code string) bool {
	anew := make([]*hand, len(hands))
	for i, h := range hands {
		if !h.Alive {
			return true
		}
		anew[i] = &hand{Owner: h.Owner, Code: h.Code, Sources: h.Sources, Shards: slices.Clone(h.Shards)}
	}
	deal(anew, code)
	return slices.ContainsFunc(hands, func(h *hand) bool {
		return !slices.ContainsFunc(anew, func(a *hand) bool { return a.Owner == h.Owner && slices.Equal(a.Shards, h.Shards) })
	})
}

// redeal takes away the rows of those who are gone, and deals their shards among the living. All rows are locked, always
// in the same order; and since a runner's row is committed before its first deal, of two that deal at the same time one
// sees the other. The transaction may idle for a fraction of the lease only: whoever freezes in it holds up renewals.
func (m *roster) redeal(ctx context.Context, code string) (living []*hand, err error) {
	err = inTx(ctx, m.pool, m.lease/10, func(tx pgx.Tx) error {
		all, err := readHands(ctx, tx, selectHands+`
		FOR UPDATE`)
		if err != nil {
			return err
		}
		var gone []string
		for _, h := range all {
			if h.Alive {
				living = append(living, h)
			} else {
				gone = append(gone, h.Owner)
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM runner WHERE owner = ANY ($1)`, gone); err != nil {
			return err
		}
		deal(living, code)
		return writeHands(ctx, tx, living)
	})
	return living, err
}

func writeHands(ctx context.Context, tx pgx.Tx, hands []*hand) error {
	for _, h := range hands {
		_, err := tx.Exec(ctx, `
			UPDATE runner
			SET shards = $2
			WHERE owner = $1 AND shards <> $2`, h.Owner, h.Shards)
		if err != nil {
			return err
		}
	}
	return nil
}
