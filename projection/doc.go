// Package projection folds the logs into read models, and lets them be read.
//
// # One pass
//
// A source's log is one stream of events, and a shard is that stream on its way into one generation of tables. A
// [Runner] takes each shard through the same six steps, a page at a time:
//
//	eventstore        no transaction                        one transaction, READ COMMITTED
//	┌───────────┐      ┌──────────────────────────────┐      ┌─────────────────────────────────────────┐
//	│ log       │ page │ load       decode     fold   │      │ write                        checkpoint │
//	│ 1 2 3 4 … │─────►│ folded ──► source ──► ticket │─────►│ board history wait estimate ► shard     │──► commit
//	└───────────┘      │ tickets    .Decode    .Apply │      │ folded · dead_letter         position   │
//	      ▲            └──────────────────────────────┘      └─────────────────────────────────────────┘
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
//     While a page is written, the one after it is folded ahead, onto the tickets as that page leaves them: processor and
//     database work at the same time. Loading needs no transaction: nobody else changes these tickets without moving the
//     epoch first, and then the page is refused.
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
// An operator retries it or dismisses it ([Runner.Retry], [Runner.Dismiss]): an owner that doesn't ask, whose epoch refuses
// the page in flight. What stood still is folded in its order, and its rows are those of the events' own place, as if
// nothing had been (which is why estimates, which depend on the order of tickets, are settled anew then); the tickets that it changed behind the checkpoint are noted in revived, for those who follow changes. A
// dismissal is no generation's: every fold passes over the event from then on.
//
// # Generations
//
// A generation is one complete folding of all logs, in one of two fixed sets of tables: generation n in those that end in
// n mod 2, so nothing is created at run time. One serves; beside it there is at most one other: either one that is building,
// or the previous one, stopped at the last switch. A number is never used twice.
//
// Whoever works on the other one, a [Rebuilder], holds its tenure: a lease and an epoch in generation's row, renewed each
// second. A second rebuilder finds the lease running and says whose it is; where it is not renewed, its holder was killed,
// and the second one takes over once it has run out. It moves the epochs of the generation and of its shards, and every
// transaction of a holder ends with a look at one of them (FOR SHARE, or the checkpoint's UPDATE): what the one before had
// in flight is refused. A rebuild goes through
//
//		clearing → filling → following → comparing → switching
//
//	  - clearing. The set's tables are truncated. TRUNCATE shows a snapshot that is older than itself an empty table, so the
//	    generation that was in them has been dropped before (a state of its row, in an earlier transaction), and a view that
//	    lasted longer than a second looks, at its end, whether its generation was: [ErrCleared]. A shorter one can't have
//	    met it, since two seconds go by between a switch and the clearing of what served before it.
//	  - filling. Up to the tail that a log had at the beginning it is read by ticket, and whole tickets are folded and
//	    copied, each row once. What is read is cut into stretches of tickets; workers fill one each, in a transaction whose
//	    last row, in filled, notes the stretch. So each stretch has its effect exactly once, in any order, and an
//	    interrupted rebuild goes on with what lies between the noted ones. What tickets share (the numbers of a queue, the
//	    latest name) is added up, or settled by position, so it does not matter which stretch comes first. The events about
//	    no ticket are one more stretch. What depends on the order in which the tickets of a queue came and went (estimates)
//	    is settled at the end, in a pass of its own over what the stretches have kept for it. Then the shard stands at that
//	    tail, in the transaction that forgets the stretches.
//	    The commits need not reach the disk one by one: a crash of Postgres loses rows and notes together.
//	  - following. From there the very same pages as everywhere, until less than a page is left.
//	  - comparing. Tickets whose last event both generations have seen are held against each other. What differs is what
//	    the switch will change for readers: nothing, unless the fold or the settings changed, or rows were damaged.
//	  - switching. One transaction locks the serving shards' rows: their checkpoints stand still, readers don't notice.
//	    The generation folds what it lacks up to them, a page at most, else all is let go and tried again. Then the two
//	    rows of generation change their states, the epochs of both generations' shards move, and the leases are cleared. A
//	    reader's snapshot is older than the commit, and shows the one, or younger, and shows the other, which is as far or
//	    further: nobody waits, nobody goes back in time. An append in flight is in neither, and follows in the one that
//	    serves. Owners find their epoch moved within a poll and claim the shards of the new generation. The one exception:
//	    a checkpoint that is ahead of its log's tail, after the restore of a backup, is not waited for, and what was folded
//	    from the lost events is dropped and not kept.
//
// A rollback has the last three phases, with the previous generation. Discarding is clearing, and then dropping.
//
// Crashed anywhere in it: the serving generation was never touched, and goes on being followed by whoever has its shards.
// The other one is found as far as its committed stretches and pages: the next rebuild goes on from there. Around the
// switch's COMMIT, either it took place or not; a rebuild that is run again after it begins the next one.
//
// Frozen, and awake after another one took over: see tenure. A session that froze in the middle of a COPY is not idle
// to Postgres, and would keep its locks; whoever takes over ends the sessions of earlier epochs, which it knows by their
// names.
//
// Each generation keeps what it was folded with (folded_with): a fingerprint of the code, and of each source's settings.
// Where that of the serving one is not this process's, it drifts: the [Reader] tells, and a rebuild is due.
//
// # Reading
//
// A [View] is one REPEATABLE READ READ ONLY transaction. Its first statement reads which generation serves and how far
// each shard is; all that follows sees the same snapshot. So rows and positions belong together, and an answer lies
// wholly before a switch of generations or wholly after it. Generation, positions and the shards' epochs tell which rows
// they are: the same three, the same rows.
//
// # Trust, and verify
//
// [Verify] folds the log again, a few thousand events at a time, and compares every row of every table of every generation,
// in one snapshot. It is what the tests call after each step, and a command. The protocol above is also held against a
// model: model_test.go drives logs, runners and rebuilders at random, kills them between any two statements, and compares
// what readers see with a fold of a list.
//
// # Beside the pass
//
// Two things write to the log from here, and neither writes to a read model: [Expirer] ends tickets that have been
// silent for too long (bookings, after their time), [Close] one that an operator points at. Both append an event of our own, which then takes the
// same way as all others, and which names the position it was decided on: whatever the vendor said after that, voids it.
package projection
