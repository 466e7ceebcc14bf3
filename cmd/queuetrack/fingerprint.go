package main

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"queuetrack/projection"
)

// foldFingerprint is of all code that decides what the read models' rows hold. fingerprint_test.go says which files that
// is, and holds it; it is written by
//
//	go test ./cmd/queuetrack -run Fingerprint -update
const foldFingerprint = "0047c4ec159af4f1"

// fingerprint is what this process folds with.
func (c config) fingerprint() projection.Fingerprint {
	f := projection.Fingerprint{Code: foldFingerprint, Settings: make(map[string]string, len(c.Sources))}
	for _, s := range c.Sources {
		f.Settings[s.Name] = s.settings()
	}
	return f
}

// settings is the fingerprint of what the source's adapter decodes by. Secrets, addresses, names of queues and all
// durations decide no row; context decides at the door, and what it decided is in the log.
func (s sourceConfig) settings() string {
	zone := s.ZoneOrUTC().String()
	if s.Kind == kindSuperOffice && s.Zone == nil { // times that name none are not read at all
		zone = ""
	}
	parts := []string{"kind=" + string(s.Kind), "timezone=" + zone}
	if s.Kind == kindOmbori {
		parts = append(parts, fmt.Sprintf("serving_tab=%t", s.ServingTab))
	}
	if s.Kind == kindSuperOffice {
		parts = append(parts, fmt.Sprintf("unassigned_owner=%d", s.UnassignedOwner))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return fmt.Sprintf("%x", sum[:8])
}
