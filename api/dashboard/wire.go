package dashboard

import "time"

// What the pages read of the API's answers.

type estimate struct {
	WaitSeconds float64  `json:"wait_seconds"`
	LowSeconds  *float64 `json:"low_seconds"`
	HighSeconds *float64 `json:"high_seconds"`
}

type queueState struct {
	Source             string     `json:"source"`
	Queue              string     `json:"queue"`
	Name               string     `json:"name"`
	Location           *string    `json:"location"`
	Waiting            int64      `json:"waiting"`
	Called             int64      `json:"called"`
	Serving            int64      `json:"serving"`
	OnHold             int64      `json:"on_hold"`
	Booked             int64      `json:"booked"`
	LongestWaitSeconds *int64     `json:"longest_wait_seconds"`
	Estimate           *estimate  `json:"estimate"`
	ServedToday        *int64     `json:"served_today"`
	LastEventAt        *time.Time `json:"last_event_at"`
}

type sourceState struct {
	Source         string           `json:"source"`
	Kind           string           `json:"kind"`
	Timezone       string           `json:"timezone"`
	Events         int64            `json:"events"`
	LastReceivedAt *time.Time       `json:"last_received_at"`
	Duplicates     int64            `json:"duplicates"`
	Quarantined    int64            `json:"quarantined"`
	Silent         bool             `json:"silent"`
	Rejected       map[string]int64 `json:"rejected"`
}

// zone is where the source's clocks are; the API names only zones that it could load itself.
func (s sourceState) zone() *time.Location {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

type shardState struct {
	Generation  int      `json:"generation"`
	State       string   `json:"state"`
	Source      string   `json:"source"`
	Position    int64    `json:"position"`
	Tail        int64    `json:"tail"`
	LagEvents   int64    `json:"lag_events"`
	LagSeconds  float64  `json:"lag_seconds"`
	DeadLetters int64    `json:"dead_letters"`
	Waiting     int64    `json:"dead_letters_waiting"`
	Halted      *string  `json:"halted"`
	Owner       *string  `json:"owner"`
	Drift       []string `json:"drift"`
}

type projectionState struct {
	Generation int          `json:"generation"`
	Items      []shardState `json:"items"`
}

type waitReport struct {
	From  time.Time  `json:"from"`
	To    time.Time  `json:"to"`
	Items []waitItem `json:"items"`
}

type waitItem struct {
	Queue     string    `json:"queue"`
	Hour      string    `json:"hour"`
	Weekday   int       `json:"weekday"`
	HourOfDay int       `json:"hour_of_day"`
	Start     time.Time `json:"start"`
	Offered   int64     `json:"offered"`
	Served    int64     `json:"served"`
	Abandoned int64     `json:"abandoned"`
	NoShow    int64     `json:"no_show"`
	Wait      struct {
		N          int64  `json:"n"`
		P50Seconds *int64 `json:"p50_seconds"`
		P90Seconds *int64 `json:"p90_seconds"`
	} `json:"wait"`
	ServiceLevel struct {
		ThresholdSeconds int64    `json:"threshold_seconds"`
		Value            *float64 `json:"value"`
		ServedWithin     int64    `json:"served_within"`
		Served           int64    `json:"served"`
		AbandonedWithin  int64    `json:"abandoned_within"`
		Abandoned        int64    `json:"abandoned"`
	} `json:"service_level"`
	QueueLength struct {
		Mean *float64 `json:"mean"`
	} `json:"queue_length"`
}

type openTicket struct {
	Source         string     `json:"source"`
	Ticket         string     `json:"ticket"`
	Label          string     `json:"label"`
	Status         string     `json:"status"`
	Queue          string     `json:"queue"`
	Desk           *string    `json:"desk"`
	Place          *int64     `json:"place"`
	CalledAt       *time.Time `json:"called_at"`
	LastCalledAt   *time.Time `json:"last_called_at"`
	ServingSince   *time.Time `json:"serving_since"`
	WaitingSince   *time.Time `json:"waiting_since"`
	CreatedAt      *time.Time `json:"created_at"`
	WaitSeconds    *int64     `json:"wait_seconds"`
	ServiceSeconds *int64     `json:"service_seconds"`
	Calls          int64      `json:"calls"`
	Estimate       *estimate  `json:"estimate"`
}

// list is an answer with items. Next is empty when there are no more.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}
