package projection

// Fingerprint tells what decides the rows that a log is folded to: of two generations with the same one, the same logs
// give the same rows.
type Fingerprint struct {
	Code     string            // of the fold, the adapters and the read models
	Settings map[string]string // by source: of the settings that its adapter reads
}
