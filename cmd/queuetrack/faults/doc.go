// Package faults breaks queuetrack on purpose, and looks at what is left. It holds tests only, and runs on Linux.
//
// Each test has a world of its own: the real binary as a process that is started again whenever it ends, as an init
// system would; a Postgres with fsync on, likewise; and senders that behave as vendors do: each tells its own tickets
// in order, and repeats a delivery until it is answered 200. In the middle of that load something is broken. Then
// [check] is run, which is the same after every fault:
//
//   - whatever was answered 200 is in the log exactly once, at the position that was answered;
//   - positions are dense, and nothing is in the log that was never sent;
//   - every ticket has the status that its last delivery told;
//   - no answer took longer than the door promises, and none was anything but 200 or 503 with Retry-After;
//   - `queuetrack verify` finds nothing wrong, /readyz says yes, and a fresh delivery is taken: the service came back
//     by itself.
//
// What is broken:
//
//	kill_test.go      SIGKILL of queuetrack; SIGKILL of Postgres' master, on a server that flushes commits late
//	private_test.go   SIGKILL of the private Postgres, which queuetrack itself has to start again
//	cut_test.go       connections to Postgres cut after random numbers of bytes, and between a COMMIT and its answer
//	freeze_test.go    Postgres stopped for 5 s, then let go on
//	diskfull_test.go  no room for the WAL; no room for the tables
//	overload_test.go  twice the load that can be carried, a log that stands still; more large bodies than there is room
//	slow_test.go      a byte a second, half a body, connections that say nothing
//	processes_test.go two processes sent the same, one of them killed; SIGTERM under load
//	rebuild_test.go   a rebuild killed in each of its phases, stopped for longer than its lease, interrupted, without its
//	                  Postgres; a rollback killed: who reads is answered all the while, and sees no step back
//	shares_test.go    of three processes that share six sources one killed, one joining, all killed, one stopped for 30 s
//
// What sabotage_test.go breaks is the log itself, behind everybody's back: it shows that the check can fail.
//
// `go test ./cmd/queuetrack/faults -timeout 2h -faults.rounds 20` is the long form, -faults.seed repeats a run's random
// choices, -faults.logs prints what the processes logged of tests that pass, too, and -short leaves everything out. A
// failed test prints its seed and those logs. It needs Postgres' programs on the machine (without them nothing is tested,
// and it says so), and root for the full disks.
//
// Processes end with the test binary, however that ends; what it leaves on the disk a later run clears away.
package faults
