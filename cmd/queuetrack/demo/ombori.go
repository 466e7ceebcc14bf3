package demo

import (
	"fmt"
	"time"
)

// omboriVoice tells a visit as Ombori does: a position with the times so far, in milliseconds.
type omboriVoice struct{}

type omboriBody struct {
	Message      *string    `json:"message"`
	Data         omboriData `json:"data"`
	Type         string     `json:"type"`
	Organization string     `json:"organization"`
}

type omboriData struct {
	Position omboriPosition `json:"position"`
}

type omboriPosition struct {
	ID               string            `json:"id"`
	Status           string            `json:"status"`
	Type             string            `json:"type"`
	Priority         int               `json:"priority"`
	Location         map[string]string `json:"location"`
	Label            string            `json:"label"`
	Locale           string            `json:"locale"`
	RegistrationData map[string]any    `json:"registrationData"`
	Queue            string            `json:"queue"`
	NumberOfPeople   int               `json:"numberOfPeople"`
	Booking          *omboriBooking    `json:"booking,omitempty"`
	ServedBy         map[string]string `json:"servedBy"`
	Station          *omboriStation    `json:"station"`
	RetryCount       int               `json:"retryCount,omitempty"`
	CreatedAt        string            `json:"createdAt"`
	ActivatedAt      string            `json:"activatedAt,omitempty"`
	CalledAt         string            `json:"calledAt,omitempty"`
	FulfilledAt      string            `json:"fulfilledAt,omitempty"`
	CompletedAt      string            `json:"completedAt,omitempty"`
	RejectedAt       string            `json:"rejectedAt,omitempty"`
}

type omboriBooking struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type omboriStation struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

func (omboriVoice) opening(Place) [][]byte { return nil } // names come with each position

func (omboriVoice) say(_ *Day, v *visitor, s step) []byte {
	event, status := omboriWords(s)
	if event == "" {
		return nil
	}
	return encode(omboriBody{Data: omboriData{v.omboriPosition(status)}, Type: event, Organization: "demo-store"})
}

func (v *visitor) omboriPosition(status string) omboriPosition {
	p := omboriPosition{
		ID: v.id, Status: status, Type: "anonymous", Label: v.label, Locale: "en", Queue: v.line.ID,
		Location:         map[string]string{"locationName": v.line.Location},
		RegistrationData: map[string]any{"phone": map[string]string{"value": fmt.Sprintf("+46555%05d", v.number)}},
		NumberOfPeople:   1, ServedBy: map[string]string{}, RetryCount: v.retries,
		CreatedAt: milli(v.created), ActivatedAt: milli(v.activated), CalledAt: milli(v.called),
	}
	if v.booking {
		p.Type, p.Priority = "booking", 100
		p.Booking = &omboriBooking{milli(v.slot), milli(v.slot.Add(15 * time.Minute))}
		if v.activated.IsZero() {
			p.Label = "" // a booking gets its number when it is activated
		}
	}
	if status != "pending" && !v.called.IsZero() {
		p.Station = &omboriStation{fmt.Sprint(v.desk), fmt.Sprintf("Desk %d", v.desk)}
		p.ServedBy = map[string]string{"id": fmt.Sprint(v.agent), "displayName": fmt.Sprintf("Agent %d", v.agent%10)}
	}
	switch status {
	case "fulfilled", "completed":
		p.FulfilledAt = milli(v.started)
	case "rejected":
		p.RejectedAt = milli(v.ended)
	}
	if status == "completed" {
		p.CompletedAt = milli(v.ended)
	}
	return p
}

func omboriWords(s step) (event, status string) {
	switch s {
	case arrives:
		return "positionCreated", "pending"
	case books:
		return "bookingConfirmation", "draft"
	case rebooks:
		return "bookingUpdated", "draft"
	case activates:
		return "bookingActivated", "pending"
	case isCalled, isRecalled:
		return "positionCalled", "notified"
	case returns:
		return "positionRetry", "pending"
	case starts:
		return "positionFulfilled", "fulfilled"
	case isServed:
		return "positionCompleted", "completed"
	case noShow:
		return "positionRemoved", "rejected"
	case leaves:
		return "positionCancelled", "rejected"
	case rates:
		return "feedbackReceived", "completed"
	case isEdited, moves, pauses, resumes, merges, reopens:
	}
	return "", ""
}

func milli(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
}
