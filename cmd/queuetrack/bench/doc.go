// Package bench measures queuetrack on the machine that it runs on, each figure beside what plain Postgres does with
// the same rows in the same run, turn about. The ratios are the result; the absolute figures are the machine's.
//
// The door is measured from outside: the server is another process, the deliveries are signed as the vendor would,
// and go through HTTP. In the closed loop each connection sends its next delivery when the last is answered. In the
// open loop deliveries are due at a set rate, whoever is late, and a latency counts from the moment that it was due: a
// server that stalls can't hide the stall by keeping its senders from sending.
//
// A rebuild is measured from outside too: the command is another process, on a log that a simulated site filled (site.go).
// Its yardstick is SQL that writes the same rows (setbased.go), which a test holds against the fold's, row by row.
//
// A report is measured as the REST door computes it, on segments that a statement makes up (queryfill.go). Its yardstick is one
// statement for the same numbers (querysql.go), and they are compared before anything is measured.
package bench
