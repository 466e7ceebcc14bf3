// Package projection folds the logs into read models, and lets them be read.
//
// # One pass
//
// A source's log is one stream of events, and a shard is that stream on its way into one generation of tables. A
// [Runner] takes each shard through the same six steps, a page at a time:
//
//	eventstore                           one transaction, READ COMMITTED
//	┌───────────┐      ┌───────────────────────────────────────────────────────────────────────┐
//	│ log       │ page │ load       decode      fold        write                   checkpoint │
//	│ 1 2 3 4 … │─────►│ folded  ──► source ───► ticket ───► board · history · wait ──► shard  │──► commit
//	└───────────┘      │ tickets    .Decode     .Apply      folded · dead_letter      position │
//	      ▲            └───────────────────────────────────────────────────────────────────────┘
//	      └── claim: lease and epoch                                      epoch = mine, position = from?
//
// Step by step:
//
//   - claim. A row in shard says who owns it until when, by the database's clock, and the epoch counts its owners.
//     Claims take a row whose lease ran out with FOR UPDATE SKIP LOCKED, and only while its generation serves: nobody
//     waits. Which shards a process is to claim, table runner says: each process is there, with a lease, what it is
//     configured with, and what it was dealt. Whoever finds a lease there run out, or a way to hand a shard on to a
//     process that has two fewer (by others, if need be), deals anew under a lock on all rows, and moves no more than it
//     must. So shares differ by one at most, or are as even as the processes' sources let them be; while nobody comes or
//     goes, nothing moves. What a process is dealt no longer it gives back between two pages, and the next one has it a
//     fraction of a second later. The deal only keeps processes out of each other's way: the epoch is what makes it safe.
//     A shard that halted is claimed by nobody, also when a log that had lost events has grown past the checkpoint again:
//     other events have the positions that were folded.
//   - page. The events right after the checkpoint, read outside the transaction, for the log never changes. Positions
//     are dense, so a page that doesn't begin at checkpoint + 1, or has a hole, means that the log lost something: the
//     shard halts and says so. The same when the checkpoint is ahead of the log's tail, as after the restore of a
//     backup. Other shards go on.
//   - decode. The source that named the ticket at the door reads the body. Our own events (verified by
//     [eventstore.Own], which no secret can be called) are ours to read. What is quarantined is passed over; what is
//     about no ticket may still tell names.
//   - fold. The tickets concerned are loaded, and Apply takes each from state to state. Each event of
//     one is a [Change]: before, after, and what it said. The page ends where its states get too heavy or a part of the
//     lease has gone by; what was read beyond is the next page. So neither memory nor the lease depends on what senders do.
//   - write. Every [ReadModel] gets the page's changes and brings its own tables up to date with statements over arrays,
//     a handful a page. What a row holds depends on the events up to the checkpoint and on nothing else, least of all on
//     where pages end; so filling a generation anew gives the very rows that following live gave.
//   - checkpoint. The last statement moves the position scanned through (not: the last match) from where it was read to
//     the page's end, provided that the epoch is still ours. No row means that somebody else owns the shard by now:
//     all of it is rolled back, and we step down.
//
// Since rows and checkpoint are one transaction, each event has its effect exactly once.
//
// # What if we crash here
//
// After the claim: the lease runs out within seconds and another process takes the shard over; or the same one, which
// may claim what is its own at once.
//
// After reading the page, after loading, decoding, folding, or writing any part of the rows: the transaction is gone, the
// checkpoint where it was. The next owner reads the same page and does the same.
//
// Frozen instead of crashed, in the middle of the transaction: the server ends a transaction that is left idle for a
// lease's length, and with it the locks on the rows written so far.
//
// After the checkpoint's UPDATE, before COMMIT arrives: the same. After COMMIT arrived, before its answer did: the page
// is done. This process doesn't know it, so its next step is a claim, which reads the checkpoint afresh.
//
// Frozen before the checkpoint's UPDATE, and awake again after another process took over: the epoch has moved, the UPDATE
// finds no row, the late page is rolled back. Should it collide with the new owner's rows before it gets that far, that
// is an error like any other and ends in the same refusal.
//
// # Poison
//
// An event that can't be decoded or folded (an error, a panic, a value that no column can hold) becomes a row in
// dead_letter, in the transaction that passes it. Its ticket keeps its last good state and stands still: later events of
// it queue behind as rows of their own, so that they can be folded in their order once the cause is mended. All other
// tickets flow on. A value that only the database itself refuses is found by going through its page an event at a time.
//
// # Reading
//
// A [View] is one REPEATABLE READ READ ONLY transaction. Its first statement reads which generation serves and how far
// each shard is; all that follows sees the same snapshot. So rows and positions belong together, and an answer lies
// wholly before a switch of generations or wholly after it. The read models of
// generation n are in the tables that end in n mod 2; shard and dead_letter name it. (Only one generation is ever filled
// so far: the tables, the epochs and the views are ready for a second one.)
//
// # Trust, and verify
//
// [Verify] folds the log again, a few hundred tickets or a few thousand events at a time, and compares every row of every
// table, in one snapshot. It is what the tests call after each step, and a command.
//
// # Beside the pass
//
// Two things write to the log from here, and neither writes to a read model: [Expirer] ends tickets that have been
// silent for too long (bookings, after their time), [Close] one that an operator points at. Both append an event of our own, which then takes the
// same way as all others, and which names the position it was decided on: whatever the vendor said after that, voids it.
package projection
