// Package api holds the HTTP rules that both doors share: how an error becomes an answer, what every request gets
// around it (an id, one log line, a recovered panic, the security headers), where it comes from and who sent it, and
// health.
//
// The door in is api/ingest, the door out is api/query; they never meet. Who may read is decided in api/access, and
// travels as the [Caller] of a request's context.
//
//	NewRouter ── Wrap ── Clients ──┬── /webhooks/{source}                        ingest
//	                               ├── SameSite ── access.Guard ── /v1/…, pages  query
//	                               └── /livez /readyz                            Health
//
// Errors travel as errors and become an answer in one place, [ProblemOf]. What that table doesn't know is a 500:
// bland outside, with its cause in the request's log line.
package api
