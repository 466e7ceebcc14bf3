// Package api holds the HTTP rules that both doors share: how an error becomes an answer, what every request gets
// around it (an id, one log line, a recovered panic, the security headers), health, and which addresses may be
// listened on.
//
// The door in is api/ingest, the door out is api/query; they never meet.
//
//	NewRouter ── Wrap ──┬── /webhooks/{source}   ingest
//	                    ├── /v1/…                query
//	                    └── /livez /readyz       Health
//
// Errors travel as errors and become an answer in one place, [ProblemOf]. What that table doesn't know is a 500:
// bland outside, with its cause in the request's log line.
package api
