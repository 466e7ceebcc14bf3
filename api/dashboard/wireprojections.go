package dashboard

import "time"

// rebuildState is what a rebuild is at, or what became of the last one.
type rebuildState struct {
	State       string     `json:"state"`
	Action      string     `json:"action"`
	Generation  *int       `json:"generation"`
	Phase       string     `json:"phase"`
	Events      *int64     `json:"events"`
	Total       *int64     `json:"total"`
	Rate        *float64   `json:"events_per_second"`
	LeftSeconds *float64   `json:"left_seconds"`
	Owner       string     `json:"owner"`
	StartedAt   *time.Time `json:"started_at"`
	EndedAt     *time.Time `json:"ended_at"`
	Differing   *int64     `json:"differing_tickets"`
	Some        []string   `json:"differing"`
	Error       string     `json:"error"`
}

// deadLetter is an event that could not be decoded or folded.
type deadLetter struct {
	Source   string `json:"source"`
	Position int64  `json:"position"`
	Ticket   string `json:"ticket"`
	Cause    string `json:"cause"`
	Waiting  int64  `json:"waiting"`
}

// heldDelivery is an authentic delivery that can't be used.
type heldDelivery struct {
	Source     string     `json:"source"`
	Position   int64      `json:"position"`
	Ticket     string     `json:"ticket"`
	Type       string     `json:"type"`
	ReceivedAt *time.Time `json:"received_at"`
	Cause      string     `json:"cause"`
	RetriedAs  *int64     `json:"retried_as"`
}
