package demo

import (
	"fmt"
	"time"
)

// superofficeVoice tells a request as SuperOffice does: dated snapshots of its columns.
type superofficeVoice struct{}

type superofficeBody struct {
	EventID     string             `json:"EventId"`
	Timestamp   string             `json:"Timestamp"`
	Changes     []string           `json:"Changes"`
	Event       string             `json:"Event"`
	PrimaryKey  int                `json:"PrimaryKey"`
	Entity      string             `json:"Entity"`
	Context     string             `json:"ContextIdentifier"`
	ChangedBy   int                `json:"ChangedByAssociateId"`
	WebhookName string             `json:"WebhookName"`
	Fields      superofficeColumns `json:"FieldValues"`
}

type superofficeColumns struct {
	Category     int    `json:"category"`
	ConnectID    int    `json:"connect_id"`
	CreatedAt    string `json:"created_at"`
	LastChanged  string `json:"last_changed"`
	OwnedBy      int    `json:"owned_by"`
	Priority     int    `json:"priority"`
	Status       int    `json:"status"`
	TicketStatus int    `json:"ticket_status"`
}

// The base statuses, and the user that stands for nobody.
const (
	superofficeOpen      = 1
	superofficeClosed    = 2
	superofficePostponed = 3
	superofficeDeleted   = 4
	superofficeMerged    = 5

	superofficeNobody = 1
)

func (superofficeVoice) opening(Place) [][]byte { return nil }

func (superofficeVoice) say(d *Day, v *visitor, s step) []byte {
	status, owned, changes := superofficeWords(s)
	if status == 0 {
		return nil
	}
	c := superofficeColumns{
		Category: number(v.line.ID), ConnectID: -1, OwnedBy: superofficeNobody, Priority: 2, Status: status, TicketStatus: status,
		CreatedAt: v.local(v.created), LastChanged: v.local(d.now),
	}
	if owned {
		c.OwnedBy = v.agent % 100
	}
	if status == superofficeMerged {
		c.ConnectID = number(v.id) - 1
	}
	event := "ticket.changed"
	if s == arrives {
		event = "ticket.created"
	}
	return encode(superofficeBody{
		EventID: guid(d), Timestamp: d.now.UTC().Format("2006-01-02T15:04:05.0000000Z"), Changes: changes,
		Event: event, PrimaryKey: number(v.id), Entity: "ticket", Context: "Cust31038", ChangedBy: 19,
		WebhookName: "demo", Fields: c,
	})
}

// superofficeWords are the base status, whether somebody owns the request, and the columns that changed.
func superofficeWords(s step) (status int, owned bool, changes []string) {
	switch s {
	case arrives:
		return superofficeOpen, false, []string{}
	case isEdited:
		return superofficeOpen, false, []string{"id", "priority"}
	case isCalled:
		return superofficeOpen, true, []string{"owned_by"}
	case starts:
		return superofficeOpen, true, []string{"id", "read_by_owner"}
	case returns:
		return superofficeOpen, false, []string{"owned_by"}
	case moves:
		return superofficeOpen, false, []string{"owned_by", "category"}
	case pauses:
		return superofficePostponed, true, []string{"status", "ticket_status", "activate"}
	case resumes:
		return superofficeOpen, true, []string{"status", "ticket_status"}
	case isServed:
		return superofficeClosed, true, []string{"status", "ticket_status", "closed_at"}
	case reopens:
		return superofficeOpen, false, []string{"status", "ticket_status", "owned_by"}
	case leaves:
		return superofficeDeleted, false, []string{"status", "ticket_status"}
	case merges:
		return superofficeMerged, false, []string{"status", "connect_id"}
	case books, rebooks, activates, isRecalled, noShow, rates:
	}
	return 0, false, nil
}

// local is the tenant's base time, without a zone, as SuperOffice stores it.
func (v *visitor) local(t time.Time) string {
	zone, err := time.LoadLocation(v.room.Zone)
	if err != nil {
		panic(fmt.Sprintf("demo: zone: %v", err)) // only the zones of Places come here
	}
	return t.In(zone).Format("2006-01-02T15:04:05")
}

// guid is a random identifier of the day's own random source: the same seed, the same ids.
func guid(d *Day) string {
	a, b := d.rng.Uint64(), d.rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}
