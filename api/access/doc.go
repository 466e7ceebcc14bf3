// Package access decides who may read and who may change something: API keys, the sessions of browsers, and what either
// may take.
//
//	request ── Guard ──┬── Authorization: Bearer qt_…  ──┐
//	                   ├── the cookie of a sign-in     ──┼── Keys (a look at api_key, seconds old) ── Caller
//	                   └── neither: open, or refused     ┘
//
// A key is shown once and kept as its SHA-256. Its first characters are its id, which is no secret: by that it is looked up,
// and the digests are then compared in constant time. Ours have 200 random bits behind their id, so a plain digest
// is enough: there is nothing to guess one from.
//
// Each process keeps one look at the whole table, and takes another once that is older than [Freshness]: a revoked key
// opens nothing after that, on any process, and an open stream of its ends too. A key that isn't in it yet is looked for
// at once. Without the database nobody can tell whether a key still holds, and the answer is 503: never open.
//
// A session is a cookie with the key's id and its end, signed by a private key that is made of the API key itself, when
// somebody signs in with it. The table has what verifies the signature. So a session ends with its key, every process
// takes it, there is no other secret to keep, and who reads the table can't make one. A cookie is sent by a browser
// whatever page asked for it; so what comes with one and is no GET must come from a page of this very server.
//
// Nobody has to show a key where the server listens on loopback and no key was ever made, nor with --auth=none. A revoked
// key was made: revoking the last one closes the door, and never opens it.
package access
