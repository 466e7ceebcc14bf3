package main

import (
	"fmt"
	"os"
)

// scratchFolder makes a fresh folder, which its maker may delete since it made it. Other users may pass through it: as
// root, the Postgres in it runs as another one.
func scratchFolder(prefix string) (string, error) {
	folder, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", fmt.Errorf("make a temporary folder: %w", err)
	}
	return folder, os.Chmod(folder, 0o711)
}
