package projection_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// A difference in any table is found, and named.
func TestVerifyFindsWhatWasPlanted(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, sql, want string }{
		{"body", `UPDATE event SET body = convert_to(convert_from(body, 'UTF8') || ' ', 'UTF8') WHERE position = 2`, "city a: the body is not the one that the digest was made of"},
		{"one byte", `UPDATE event SET body = set_byte(body, 5, get_byte(body, 5) # 1) WHERE position = 2`, "city a: the body is not the one that the digest was made of"},
		{"digest", `UPDATE event SET digest = set_byte(digest, 31, get_byte(digest, 31) # 1) WHERE position = 7`, "city b: the body is not the one that the digest was made of"},
		{"event missing", `DELETE FROM event WHERE position = 2`, "city : 1 event is missing before position 3"},
		{"events missing", `DELETE FROM event WHERE position IN (2, 3)`, "city : 2 events are missing before position 4"},
		{"first events missing", `DELETE FROM event WHERE position <= 3`, "city : 3 events are missing before position 4"},
		{"last event missing", `DELETE FROM event WHERE position = 7`, "city : the checkpoint 7 is ahead of the log's tail 6"},
		{"what was folded from it", `DELETE FROM event WHERE position = 2`, "city a: history: row 2 is too many"},
		{"another ticket's event", `UPDATE event SET ticket = 'b' WHERE position = 2`, "city a: history: row 2 is too many"},
		{"checkpoint ahead", `UPDATE shard SET position = 99`, "city : the checkpoint 99 is ahead of the log's tail 7"},
		{"checkpoint behind", `UPDATE shard SET position = 6`, "city b: folded: row is too many"},
		{"halted", `UPDATE shard SET halted = 'a hole'`, "city : the projection is halted: a hole"},

		{"folded changed", `UPDATE folded_0 SET facts = facts || '\x20' WHERE ticket = 'a'`, "city a: folded: row differs from the log: facts"},
		{"folded missing", `DELETE FROM folded_0 WHERE ticket = 'a'`, "city a: folded: row is missing"},
		{"folded extra", `INSERT INTO folded_0 SELECT source, 'zz', status, facts, last_position, expires_from FROM folded_0 WHERE ticket = 'a'`, "city zz: folded: row is too many"},

		{"ticket changed", `UPDATE board_ticket_0 SET status = 'waiting' WHERE ticket = 'a'`, `city a: board_ticket: row differs from the log: status is "waiting", should be "served"`},
		{"ticket's state changed", `UPDATE board_ticket_0 SET state = (SELECT state FROM board_ticket_0 WHERE ticket = 'b') WHERE ticket = 'a'`, "city a: board_ticket: row differs from the log: state"},
		{"ticket missing", `DELETE FROM board_ticket_0 WHERE ticket = 'b'`, "city b: board_ticket: row is missing"},
		{"ticket extra", `INSERT INTO board_ticket_0 SELECT source, '0', status, queue, created_at, entered_at, priority, order_at, order_position, state FROM board_ticket_0 WHERE ticket = 'b'`, "city 0: board_ticket: row is too many"},
		{"counts", `UPDATE board_ticket_0 SET queue = '2' WHERE ticket = 'b'`, `city : board: 1 tickets are waiting in queue "2", by their spells 0`},

		{"spell changed", `UPDATE board_spell_0 SET to_at = to_at + interval '1 us' WHERE ticket = 'a' AND n = 1`, "city a: board_spell: row 1 differs from the log: to"},
		{"spell missing", `DELETE FROM board_spell_0 WHERE ticket = 'b'`, "city b: board_spell: row 1 is missing"},
		{"spell extra", `INSERT INTO board_spell_0 SELECT source, ticket, 9, status, queue, from_at, to_at, entered_at FROM board_spell_0 WHERE ticket = 'b'`, "city b: board_spell: row 9 is too many"},

		{"queue changed", `UPDATE board_queue_0 SET last_position = 1 WHERE queue = '1'`, `city : board_queue: row "1" differs from the log: lastposition is "1", should be "7"`},
		{"queue's number changed", `UPDATE board_queue_0 SET waiting = waiting + 1`, `city : board_queue: row "1" differs from the log: waiting is "2", should be "1"`},
		{"queue missing", `DELETE FROM board_queue_0`, `city : board_queue: row "1" is missing`},
		{"queue extra", `INSERT INTO board_queue_0 VALUES ('city', '9', now(), 1, 0, 0, 0, 0, 0)`, `city : board_queue: row "9" is too many`},

		{"name changed", `UPDATE board_name_0 SET name = 'Visas'`, `city : board_name: row queue "1" differs from the log: name is "Visas", should be "Passports"`},
		{"name missing", `DELETE FROM board_name_0`, `city : board_name: row queue "1" is missing`},
		{"name extra", `INSERT INTO board_name_0 VALUES ('city', 'queue', '9', 'Visas', 1)`, `city : board_name: row queue "9" is too many`},

		{"history changed", `UPDATE history_0 SET detail = '{}' WHERE position = 2`, "city a: history: row 2 differs from the log: detail"},
		{"history's link changed", `UPDATE history_0 SET next_position = NULL WHERE position = 1`, `city a: history: row 1 differs from the log: next is "0", should be "2"`},
		{"history missing", `DELETE FROM history_0 WHERE position = 2`, "city a: history: row 2 is missing"},
		{"history extra", `INSERT INTO history_0 (source, ticket, position, type, transitions, received_at, detail, open) SELECT source, ticket, 99, type, transitions, received_at, detail, open FROM history_0 WHERE position = 2`, "city a: history: row 99 is too many"},

		{"segment changed", `UPDATE wait_segment_0 SET wait_seconds = wait_seconds + 1 WHERE ticket = 'a'`, `city a: wait_segment: row 1 differs from the log: waitseconds is "60", should be "59"`},
		{"segment missing", `DELETE FROM wait_segment_0 WHERE ticket = 'b'`, "city b: wait_segment: row 1 is missing"},
		{"segment extra", `INSERT INTO wait_segment_0 SELECT source, 'c', n, queue, desk, agent, entered_at, called_at, left_at, outcome, wait_seconds, service_seconds, self_registered, recalls FROM wait_segment_0 WHERE ticket = 'b'`, "city c: wait_segment: row 1 is too many"},

		{"recalls changed", `UPDATE wait_segment_0 SET recalls = 1 WHERE ticket = 'a'`, `city a: wait_segment: row 1 differs from the log: recalls is "1", should be "0"`},
		{"hold extra", `INSERT INTO wait_hold_0 VALUES ('city', 'b', 1, 1, now(), NULL)`, "city b: wait_hold: row 1 is too many"},

		{"outcome changed", `UPDATE wait_segment_0 SET outcome = 'no_show' WHERE ticket = 'a'`, `city a: wait_segment: row 1 differs from the log: outcome is "no_show", should be "served"`},
		{"outcomes don't add up", `UPDATE wait_segment_0 SET outcome = 'no_show' WHERE ticket = 'a'`, `city : wait: 1 segments are "no_show", the log knows 0`},
		{"all outcomes gone", `DELETE FROM wait_segment_0`, `city : wait: 0 segments are "served", the log knows 1`},
		{"left and open", `UPDATE wait_segment_0 SET left_at = entered_at WHERE ticket = 'b'`, `city : wait: 1 segments that are "open" tell the contrary by their end`},
		{"ended and not left", `UPDATE wait_segment_0 SET left_at = NULL WHERE ticket = 'a'`, `city : wait: 1 segments that are "served" tell the contrary by their end`},

		{"move changed", `UPDATE estimate_move_0 SET at = at + interval '1 s' WHERE ticket = 'a' AND kind = 'called'`, "city a: estimate_move: row 1 2 differs from the log: at"},
		{"move missing", `DELETE FROM estimate_move_0 WHERE ticket = 'b'`, "city b: estimate_move: row 1 7 is missing"},
		{"move extra", `INSERT INTO estimate_move_0 SELECT source, 'c', position, n, segment, kind, queue, at, priority, order_at, order_position, wait_seconds FROM estimate_move_0 WHERE ticket = 'b'`, "city c: estimate_move: row 1 7 is too many"},

		{"past changed", `UPDATE estimate_queue_0 SET past = past || '\x00'`, `city : estimate_queue: row "1" differs from the log: past`},
		{"past missing", `DELETE FROM estimate_queue_0`, `city : estimate_queue: row "1" is missing`},
		{"past extra", `INSERT INTO estimate_queue_0 VALUES ('city', '9', '\x01')`, `city : estimate_queue: row "9" is too many`},

		{"place in line changed", `UPDATE estimate_line_0 SET ahead = ahead + 1`, `city b: estimate_line: row "1" 1 differs from the log: ahead`},
		{"place in line missing", `DELETE FROM estimate_line_0`, `city b: estimate_line: row "1" 1 is missing`},
		{"place in line extra", `INSERT INTO estimate_line_0 SELECT source, queue, 'c', segment, entered_at, priority, order_at, order_position FROM estimate_line_0`, `city c: estimate_line: row "1" 1 is too many`},

		{"finished wait extra", `INSERT INTO estimate_wait_0 (source, position, n, queue, entered_at, ahead, wait_seconds, actual_seconds) VALUES ('city', 2, 1, '1', now(), 0, 1, 1)`, "city : estimate_wait: row 2 1 is too many: no such wait ended"},

		{"dead letter without a cause", `UPDATE dead_letter SET cause = '' WHERE position = 5`, "city c: dead_letter: row 5 tells no cause"},
		{"dead letter's ticket changed", `UPDATE dead_letter SET ticket = 'b' WHERE position = 5`, "city c: dead_letter: row 5 is of no event that can be dead"},
		{"dismissal of nothing", `INSERT INTO dismissal VALUES ('city', 99, now())`, "city : dismissal: row 99 is of no event that can be dismissed"},
		{"dismissed and folded", `INSERT INTO dismissal VALUES ('city', 7, now())`, "city b: history: row 7 is too many"},
		{"dismissed and dead", `INSERT INTO dismissal VALUES ('city', 5, now())`, "city c: dead_letter: row 5 is of an event that was dismissed"},
		{"dead letter missing", `DELETE FROM dead_letter WHERE position = 5`, "city c: the event can't be folded, and is no dead letter: decode: no such status"},
		{"dead letter extra", `INSERT INTO dead_letter VALUES ('city', 0, 77, 'b', NULL, '')`, "city b: dead_letter: row 77 is too many"},
		{"dead letter of a sound event", `INSERT INTO dead_letter VALUES ('city', 0, 7, 'b', NULL, '')`, "city b: history: row 7 is too many"},
		{"dead letter behind nothing", `UPDATE dead_letter SET behind = 3 WHERE position = 6`, "city c: dead_letter: row 6 waits behind 3, which is no dead letter"},
	}
	w := newWorld(t)
	plant(w)
	w.check()
	undo := undoable(w)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { // one after the other on one database, each undone
			other := *w
			other.t = t
			other.damage(test.sql)
			if found := strings.Join(other.violations(), "\n"); !strings.Contains(found, test.want) {
				t.Errorf("Verify found:\n%s\nwant among it:\n%s", found, test.want)
			}
			other.damage(undo)
		})
	}
	w.check()
}

// undoable keeps a copy of all tables, and returns what brings them back.
func undoable(w *world) string {
	var undo strings.Builder
	for _, table := range slices.Concat(tables, []string{"shard", "event", "dismissal"}) {
		columns := one[string](w, `
			SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
			FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER'`, table)
		w.exec(fmt.Sprintf(`CREATE TABLE undo_%[1]s AS SELECT %[2]s FROM %[1]s`, table, columns))
		fmt.Fprintf(&undo, `DELETE FROM %[1]s; INSERT INTO %[1]s (%[2]s) TABLE undo_%[1]s;`, table, columns)
	}
	return undo.String()
}

// plant makes a little of everything: a served ticket, a waiting one, a dead one with an event behind, a name.
func plant(w *world) {
	w.append("city",
		delivery("a", noon, created("1", noon)),
		delivery("a", minute(1), called(minute(1).Add(-1e9))),
		delivery("a", minute(2), served(minute(2), minute(1).Add(-1e9))),
		delivery("", minute(2), said{Mute: true, Names: []source.Name{{Kind: source.NameQueue, ID: "1", Name: "Passports"}}}),
		delivery("c", minute(3), said{Fail: "no such status"}),
		delivery("c", minute(4), created("1", minute(4))),
		delivery("b", minute(5), created("1", minute(5))))
	w.catchUp()
}

// What interrupts a wait is compared, too.
func TestVerifyFindsHoldsThatDiffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	move := func(status ticket.Status, says ticket.Transition, at time.Time) eventstore.Delivery {
		return delivery("a", at, said{Observation: ticket.Observation{Says: says, Status: status, At: at}})
	}
	w.append("city",
		delivery("a", noon, created("1", noon)),
		move(ticket.StatusOnHold, ticket.TransitionOnHold, minute(1)),
		move(ticket.StatusWaiting, ticket.TransitionResumed, minute(3)),
		move(ticket.StatusOnHold, ticket.TransitionOnHold, minute(4)))
	w.catchUp()
	w.check()
	if held := w.list(`SELECT format('%s %s %s %s', n, segment, to_char(from_at AT TIME ZONE 'UTC', 'MI'), to_char(to_at AT TIME ZONE 'UTC', 'MI')) FROM wait_hold_0`); !slices.Equal(held, []string{"1 1 01 03", "2 1 04 "}) {
		t.Errorf("holds %q", held)
	}
	undo := undoable(w)
	for sql, want := range map[string]string{
		`UPDATE wait_hold_0 SET to_at = to_at + interval '1 s' WHERE n = 1`: "city a: wait_hold: row 1 differs from the log: toat is",
		`UPDATE wait_hold_0 SET segment = 2 WHERE n = 2`:                    `city a: wait_hold: row 2 differs from the log: segment is "2", should be "1"`,
		`DELETE FROM wait_hold_0 WHERE n = 1`:                               "city a: wait_hold: row 1 is missing",
	} {
		w.damage(sql)
		if found := strings.Join(w.violations(), "\n"); !strings.Contains(found, want) {
			t.Errorf("%s: Verify found:\n%s\nwant among it:\n%s", sql, found, want)
		}
		w.damage(undo)
	}
	w.check()
}

func TestVerifyCountsWhatItWentThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plant(w)
	w.append("old", delivery("x", noon, created("1", noon))) // no longer configured: its log is checked
	got, err := projection.Verify(t.Context(), w.pool, w.sources, w.models, func(v eventstore.Violation) { t.Errorf("violation: %v", v) }, projection.VerifyConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(projection.Verified{Sources: 2, Events: 8, Tickets: 2, Shards: 1}, got); diff != "" {
		t.Errorf("Verify went through (-want +got):\n%s", diff)
	}
}

// Ranges of tickets cover all ids, also when there are more than one reads at a time.
func TestVerifyGoesThroughManyTickets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(3, 4000)...)
	w.catchUp()
	w.check()
	w.exec(`DELETE FROM board_ticket_0 WHERE ticket = (SELECT max(ticket) FROM board_ticket_0)`)
	w.exec(`UPDATE wait_segment_0 SET queue = 'x' WHERE ticket = (SELECT min(ticket) FROM wait_segment_0)`)
	found := strings.Join(w.violations(), "\n")
	for _, want := range []string{"board_ticket: row is missing", "wait_segment: row 1 differs from the log: queue"} {
		if !strings.Contains(found, want) {
			t.Errorf("Verify found:\n%s\nwant among it: %s", found, want)
		}
	}
}

// world of two generations: the one that serves was rebuilt from the one that served before.
func rebuilt(t *testing.T, f projection.Fingerprint) *world {
	t.Helper()
	w := newWorld(t)
	plant(w)
	cfg := w.config()
	cfg.Fingerprint = f
	if _, err := projection.NewRebuilder(w.pool, w.log, w.sources, w.models, cfg).Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.append("city", delivery("d", minute(6), created("2", minute(6))))
	w.foldAs(f)
	return w
}

func (w *world) verify(cfg projection.VerifyConfig) (projection.Verified, []string) {
	w.t.Helper()
	var all []string
	verified, err := projection.Verify(w.t.Context(), w.pool, w.sources, w.models, func(v eventstore.Violation) {
		all = append(all, fmt.Sprintf("%s %s: %s", v.Source, v.Ticket, v.What))
	}, cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return verified, all
}

// The generation that a rebuild left behind is what the log up to its own checkpoint demands.
func TestVerifyComparesAllGenerations(t *testing.T) {
	t.Parallel()
	w := rebuilt(t, projection.Fingerprint{})
	got, found := w.verify(projection.VerifyConfig{})
	if diff := cmp.Diff(projection.Verified{Sources: 1, Events: 8, Tickets: 3, Shards: 2}, got); diff != "" || len(found) > 0 {
		t.Errorf("went through (-want +got):\n%s\nand found %q", diff, found)
	}
	for _, c := range []struct{ sql, want string }{
		{`UPDATE board_ticket_0 SET queue = '9' WHERE ticket = 'a'`, `city a: generation 0 (previous): board_ticket: row differs from the log: queue is "9", should be "1"`},
		{`DELETE FROM history_1 WHERE ticket = 'd'`, "city d: history: row 8 is missing"},
		{`UPDATE shard SET position = 99 WHERE generation = 0`, "city : generation 0 (previous): the checkpoint 99 is ahead of the log's tail 8"},
	} {
		w.damage(c.sql)
		if _, found := w.verify(projection.VerifyConfig{}); !slices.Contains(found, c.want) {
			t.Errorf("%s:\nfound %q\nwant among it %q", c.sql, found, c.want)
		}
	}
}

// What is half filled, or another version's, is not held against this fold; that it was not, is told.
func TestVerifyTellsWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	w := rebuilt(t, fingerprint("v2", "utc"))
	w.exec(`DELETE FROM history_0`)
	w.exec(`INSERT INTO folded_with VALUES ('city', 0, 'v1', 'utc', 0)`)
	why := func(now projection.Fingerprint) (all []string) {
		verified, found := w.verify(projection.VerifyConfig{Fingerprint: now})
		if len(found) > 0 && len(verified.Unchecked) > 0 {
			t.Errorf("found %q", found)
		}
		for _, u := range verified.Unchecked {
			all = append(all, fmt.Sprint(u.Source, u.Generation, u.State, u.Why))
		}
		return all
	}
	if diff := cmp.Diff([]string{"city0previousanother version, or other settings, folded it"}, why(fingerprint("v2", "utc"))); diff != "" {
		t.Errorf("another version's (-want +got):\n%s", diff)
	}
	w.exec(`UPDATE generation SET state = 'building', phase = 'filling' WHERE generation = 0`)
	w.exec(`UPDATE shard SET fill_to = 5 WHERE generation = 0`)
	if diff := cmp.Diff([]string{"city0buildingit is half filled"}, why(projection.Fingerprint{})); diff != "" {
		t.Errorf("half filled (-want +got):\n%s", diff)
	}
	w.exec(`UPDATE shard SET fill_to = NULL WHERE generation = 0`)
	w.exec(`UPDATE generation SET phase = 'clearing' WHERE generation = 0`)
	if diff := cmp.Diff([]string{"city0buildingit is being emptied"}, why(projection.Fingerprint{})); diff != "" {
		t.Errorf("being emptied (-want +got):\n%s", diff)
	}
	w.exec(`UPDATE generation SET phase = 'following' WHERE generation = 0`)
	if _, found := w.verify(projection.VerifyConfig{}); len(found) == 0 {
		t.Error("a filled shard without its history passes")
	}
}

// A dismissal that the previous generation has not honoured yet is no difference.
func TestVerifyLetsStandWhatARollbackHonours(t *testing.T) {
	t.Parallel()
	w := rebuilt(t, projection.Fingerprint{})
	if _, err := w.runner(w.config()).Dismiss(t.Context(), "city", 5, noon); err != nil {
		t.Fatal(err)
	}
	w.check()
}

// Everything is read once for the log and once for each generation, and told on the way.
func TestVerifyTellsItsProgress(t *testing.T) {
	t.Parallel()
	w := rebuilt(t, projection.Fingerprint{})
	var last, all int64
	w.verify(projection.VerifyConfig{Progress: func(done, total int64) {
		if done < last || total < done || (all != 0 && total != all) {
			t.Errorf("%d of %d, after %d of %d", done, total, last, all)
		}
		last, all = done, total
	}})
	if want := int64(8 + 8 + 7); last != want || all != want {
		t.Errorf("told of %d of %d events at last, want %d", last, all, want)
	}
}
