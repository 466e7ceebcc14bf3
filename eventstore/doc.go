// Package eventstore is the log: what was received, byte for byte, once, in an order that never changes. It comes after
// the door (a delivery is authentic when it gets here) and before the projections, which are all made from it. It knows
// no vendor and no ticket: a delivery's ticket, type, key and times are plain values, given by the source.
//
// # Layout
//
// One log a source. Its positions are dense, 1, 2, 3 …, so that lag, progress and "nothing was lost" are exact integers.
// Table event holds the rows, and only takes new ones: a trigger refuses the rest. Table log_head has a row a source,
// which is locked and never written. Table counter holds what is only counted, table rejection the latest requests that
// the door refused: slots that are written over.
//
// # The ordering rule
//
// A position is assigned under the lock of the source's log_head row, and the lock is held to the commit. Whoever reads
// position n can therefore read all before it, and nothing will ever appear behind a reader's back. This takes three
// things at once: the lock (FOR NO KEY UPDATE), a second statement that reads the tail (in READ COMMITTED its snapshot
// is taken after the lock was granted), and the commit. They are sent as one pipelined batch, so that the lock is never
// held while a client thinks. The primary key is the net below: a wrong tail is an error, not a corrupted log.
//
//	Append ─┐                 one flight of Append's a source and process
//	Append ─┼─► lane ─► BEGIN │ lock head │ read tail, judge, number, insert │ COMMIT ─► receipts
//	Append ─┘    ▲                  ▲                                            │
//	             │                  └─ other processes wait here                 ├─► Wake: followers in this process
//	             └─ gathers while a flight is out                                └─► NOTIFY: those in others (Run)
//
// # Duplicates
//
// What is a duplicate is decided under the same lock, by the rules of dedupe.go, and as if the deliveries had come one
// by one. One statement can do that since no delivery of a batch depends on the verdict on another one (batch.go):
//
//	bodies of one ticket    what becomes of them
//	────────────────────    ────────────────────
//	A A                     the second rides along: it isn't sent, and is a duplicate of whatever the first becomes
//	A B                     both are sent; only "does it still repeat the latest?" looks at what came before in the batch
//	A B A                   the last ends the batch, and is judged in the next transaction
//
// With event keys, equal keys ride along. Of what is quarantined or about no ticket, a second A ends the batch.
//
// Most batches hold nothing but news: no body and no key of theirs is in the log. A short statement finds that out, and
// inserts either all of them or nothing. Only then the long one follows, in a transaction of its own: a row of small
// steps, one CTE each, that answers with the receipts.
//
//	committed ─► log ─► incoming ─► found ─► judged ─► numbered ─► inserted
//	tried before?  tail             probes   by rule   densely     if new
//
// # What happens on a crash
//
//   - Before BEGIN reaches the database, or with any part of the batch missing: nothing happened. The sender got no
//     answer, and sends again.
//   - Between the insert and the commit: the database rolls back, the positions are free again. No hole.
//   - After the commit, before the answer reaches us: the connection is lost, the outcome unknown. The batch is tried
//     again; under the lock it finds its own delivery ids, and is judged against the log as it was before them: the same
//     receipts, and nothing inserted. If our process dies instead, the sender sends again, and deduplication answers
//     "duplicate" (but for a ticket whose body changed to another and back meanwhile, where a repetition is
//     indistinguishable from news).
//   - Between two batches of a flight: the first is in the log, the second isn't. The senders of both got no answer, and
//     send again, as above.
//   - After the answer: hints and counts of the last second are lost. Followers poll; counts are for people.
//
// A batch takes effect whole or not at all, so a reader sees all of it or nothing.
//
// # Out and in again
//
// What is up to a source's tail never changes, so Walk reads it in pages, each in a snapshot of its own, for as long as it
// takes. Restore puts such events back, under the same lock, at the positions that they had: only right after the tail,
// past deduplication, and a batch whole or not at all. What is there already it compares and passes over. So it can be
// repeated after any crash, and what another process appended between two batches ends it.
//
// # Following
//
// Read after the last position you hold, and wait for Wake or a short time. Wake is a hint and can be lost; Read is the
// truth. A page that doesn't begin right after your position means that the log was damaged: stop and say so.
package eventstore
