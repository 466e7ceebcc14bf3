// Package archive is the log as a file: what `queuetrack export` writes and `queuetrack import` reads. It stands beside
// the flow, below the commands and above the log; it knows no SQL and no flag.
//
// # The file
//
// Lines of JSON, each ended by a line feed: a header, an event a line, a manifest. Sources come in the order of their
// names' bytes, each one's events in the order of their positions, without holes.
//
//	{"format":"queuetrack-log","version":1}
//	{"source":"city","position":1,"ticket":"1001","type":"ticket_created","received_at":"2026-11-20T07:00:00.25Z",…}
//	{"source":"city","position":2,…}
//	{"source":"crm","position":1,…}
//	{"sources":[{"source":"city","first":1,"last":2,"count":2,"digest":"…"},{"source":"crm",…}],"count":3}
//
// An event's members come in a fixed order, and those that are null in the log are left out: source, position, ticket,
// type, event_key, occurred_at, received_at, delivery_id, verified_by, quarantined, repeat_of, digest (SHA-256 of the
// body, in hex), body (in base64). Times are RFC 3339 in UTC, to the microsecond, as the log keeps them. The digest of a
// source in the manifest is the SHA-256 of its lines, one after the other.
//
// A continuation begins after positions that its header names, each with the SHA-256 of the line of the event there:
//
//	{"format":"queuetrack-log","version":1,"after":[{"source":"city","position":184223,"digest":"…"}]}
//
// # One spelling
//
// There is exactly one way to write a given log. So two exports of equal logs are equal byte for byte, and the reader
// needs few rules: it takes a line apart, writes what it understood, and compares. An unknown, doubled or missing member,
// another order, a space, a time with nanoseconds: each makes a difference. The manifest it doesn't even take apart. What
// was cut or edited is therefore refused. (The digests are no signature: who edits a file and computes them anew is not
// found out. Keep archives where only those can write who may.)
//
// # Importing
//
//	pass one   every line, digest, key and the manifest; what the log holds already is compared with it   nothing is written
//	pass two   the same lines again, in the same batches, each with the digest that it had in pass one     Log.Restore
//
// An import only continues a log: from position 1 where there is none, and otherwise right after the last one. What is
// there already must be the same event by event, and is passed over. So an import that was interrupted, between two
// batches or by a crash in the middle of one, leaves a log that is whole up to some position, and importing the same file
// again goes on there. So does one that met a running server's append: the log then holds another event than the file,
// which is refused from there on.
//
// Memory holds a line (at most [MaxLine] bytes), a few batches, and eight bytes for each event that has a key or repeats
// another one, which must be unique.
package archive
