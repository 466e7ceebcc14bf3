// Package migrations holds the database schema as goose SQL files and applies it.
package migrations

import "embed"

// Files are the goose migrations, one idea a file.
//
//go:embed *.sql
var Files embed.FS
