// Package migrations holds the database schema as goose SQL files and applies it.
//
// A binary carries its migrations, so it knows three answers about a database: behind it (ErrBehind: migrate up),
// level with it, or ahead of it (ErrAhead: an older binary never touches a newer schema). Any number of processes
// may call Up at once; one migrates, the others wait for it.
package migrations

import "embed"

// Files are the goose migrations, one idea a file.
//
//go:embed *.sql
var Files embed.FS
