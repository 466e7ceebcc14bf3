package ticket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/ombori"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/eventstore/source/superoffice"
	"queuetrack/eventstore/ticket"
)

// The vendors' mapping tables, row by row: after the deliveries before, what is the last one taken for?
//
// A delivery is written as "type status key=value …"; each vendor's builder makes its body.

type row struct {
	name   string
	before []string
	last   string
	want   []ticket.Transition
	status ticket.Status
	// occurred is when it happened; empty: when it was received.
	occurred string
}

const received = "10:00:00" // of the last delivery; those before come a minute apart

func day(clock string) time.Time {
	t, err := time.Parse(time.DateTime, "2026-11-20 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

func checkRows(t *testing.T, s source.Source, build func(string) string, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			var tk ticket.Ticket
			var ts []ticket.Transition
			var before ticket.State
			for i, d := range append(r.before, r.last) {
				body := []byte(build(d))
				if id := s.Identify(body); id.Quarantine != "" || id.Ticket == "" {
					t.Fatalf("%s: identified as %+v", body, id)
				}
				decoded, err := s.Decode(body)
				if err != nil {
					t.Fatalf("%s: %v", body, err)
				}
				o := *decoded.Ticket
				o.Position = int64(i + 1)
				o.ReceivedAt = day(received).Add(time.Duration(i-len(r.before)) * time.Minute)
				before = tk.State
				tk, ts = ticket.Apply(tk, o)
			}
			if diff := cmp.Diff(r.want, ts); diff != "" {
				t.Errorf("transitions (-want +got):\n%s", diff)
			}
			if tk.Status != r.status {
				t.Errorf("status %s, want %s", tk.Status, r.status)
			}
			want := day(received)
			if r.occurred != "" {
				want = day(r.occurred)
			}
			if got := latest(before, tk.State); !got.IsZero() && !got.Equal(want) {
				t.Errorf("occurred at %s, want %s", got.Format(time.TimeOnly), want.Format(time.TimeOnly))
			}
		})
	}
}

// latest is the latest instant that the state after has and the one before had not; zero when there is none.
func latest(before, after ticket.State) time.Time {
	instants := func(s ticket.State) map[time.Time]bool {
		m := map[time.Time]bool{s.CreatedAt: true, s.EndedAt: true}
		for _, seg := range s.Segments {
			m[seg.EnteredAt], m[seg.CalledAt], m[seg.ServingAt], m[seg.LeftAt] = true, true, true, true
		}
		for _, c := range s.Calls {
			m[c] = true
		}
		return m
	}
	known, last := instants(before), time.Time{}
	for at := range instants(after) {
		if !known[at] && at.After(last) {
			last = at
		}
	}
	return last
}

func secret() []source.Secret {
	return []source.Secret{{Name: "literal-1", Value: []byte("a secret of the tests")}}
}

// fields splits "a b key=value" into its words and its settings.
func fields(d string) (words []string, set map[string]string) {
	set = map[string]string{}
	for _, f := range strings.Fields(d) {
		if k, v, ok := strings.Cut(f, "="); ok {
			set[k] = v
		} else {
			words = append(words, f)
		}
	}
	return words, set
}

func stamp(clock string) string { return `"2026-11-20T` + clock + `Z"` }

func qminderBody(d string) string {
	words, set := fields(d)
	data := []string{`"id":"77"`, `"status":"` + words[1] + `"`}
	for k, v := range set {
		switch k {
		case "line":
			data = append(data, `"line":`+v)
		default:
			data = append(data, fmt.Sprintf(`%q:{"date":%s}`, k, stamp(v)))
		}
	}
	if set["created"] == "" {
		data = append(data, `"created":{"date":`+stamp("09:00:00")+`}`)
	}
	return `{"type":"` + words[0] + `","data":{` + strings.Join(data, ",") + `}}`
}

func TestQminderMapping(t *testing.T) {
	t.Parallel()
	s, err := qminder.New(source.Config{Name: "city", PublicURL: "https://hooks.example.com/webhooks/city", Secrets: secret()})
	if err != nil {
		t.Fatal(err)
	}
	const (
		isNew    = "ticket_created NEW line=1"
		isCalled = "ticket_called CALLED line=1 called=09:10:00"
		isServed = "ticket_served SERVED line=1 called=09:10:00 served=09:20:00"
	)
	type ts = []ticket.Transition
	checkRows(t, s, qminderBody, []row{
		{name: "created NEW, none", last: isNew, want: ts{ticket.TransitionCreated}, status: ticket.StatusWaiting, occurred: "09:00:00"},
		{name: "created NEW after CALLED, other line", before: []string{isNew, isCalled}, last: "ticket_created NEW line=2", want: ts{ticket.TransitionTransferred}, status: ticket.StatusWaiting},
		{name: "created NEW after CALLED", before: []string{isNew, isCalled}, last: isNew, want: ts{ticket.TransitionReturned}, status: ticket.StatusWaiting},
		{name: "created NEW after NEW", before: []string{isNew}, last: isNew, want: ts{ticket.TransitionChanged}, status: ticket.StatusWaiting},
		{name: "created NEW after the end, newer", before: []string{isNew, isCalled, isServed}, last: "ticket_created NEW line=1 created=09:30:00", want: ts{ticket.TransitionReopened}, status: ticket.StatusWaiting},
		{name: "created NEW after the end, stale", before: []string{isNew, isCalled, isServed}, last: isNew, want: ts{ticket.TransitionChanged}, status: ticket.StatusServed},
		{name: "created CALLED after CALLED, another date", before: []string{isNew, isCalled}, last: "ticket_created CALLED line=1 called=09:12:00", want: ts{ticket.TransitionRecalled}, status: ticket.StatusCalled, occurred: "09:12:00"},
		{name: "created CALLED after CALLED, the same date", before: []string{isNew, isCalled}, last: "ticket_created CALLED line=1 called=09:10:00", want: ts{ticket.TransitionRecalled}, status: ticket.StatusCalled},
		{name: "created CALLED, none", last: "ticket_created CALLED line=1 called=09:10:00", want: ts{ticket.TransitionCreated, ticket.TransitionCalled}, status: ticket.StatusCalled, occurred: "09:10:00"},
		{name: "created CALLED after NEW", before: []string{isNew}, last: "ticket_created CALLED line=1 called=09:10:00", want: ts{ticket.TransitionCalled}, status: ticket.StatusCalled, occurred: "09:10:00"},
		{name: "created SCHEDULED", last: "ticket_created SCHEDULED line=1", want: ts{ticket.TransitionBooked}, status: ticket.StatusBooked, occurred: "09:00:00"},
		{name: "created NEW after an appointment's CALLED", before: []string{"ticket_created SCHEDULED line=1", "ticket_changed NEW line=1", "ticket_called CALLED line=1 called=09:58:30"}, last: isNew, want: ts{ticket.TransitionReturned}, status: ticket.StatusWaiting},
		{name: "created NEW after an appointment's CALLED, other line", before: []string{"ticket_created SCHEDULED line=1", "ticket_changed NEW line=1", "ticket_called CALLED line=1 called=09:58:30"}, last: "ticket_created NEW line=2", want: ts{ticket.TransitionTransferred}, status: ticket.StatusWaiting},
		{name: "created NEW after an appointment's CALLED that nothing came before", before: []string{"ticket_created SCHEDULED line=1", isCalled}, last: isNew, want: ts{ticket.TransitionChanged}, status: ticket.StatusCalled},
		{name: "called after NEW", before: []string{isNew}, last: isCalled, want: ts{ticket.TransitionCalled}, status: ticket.StatusCalled, occurred: "09:10:00"},
		{name: "called, none", last: isCalled, want: ts{ticket.TransitionCreated, ticket.TransitionCalled}, status: ticket.StatusCalled, occurred: "09:10:00"},
		{name: "called twice with one date", before: []string{isNew, isCalled}, last: isCalled, want: ts{ticket.TransitionChanged}, status: ticket.StatusCalled},
		{name: "re-called", before: []string{isNew, isCalled}, last: "ticket_recalled CALLED line=1 called=09:15:00", want: ts{ticket.TransitionRecalled}, status: ticket.StatusCalled, occurred: "09:15:00"},
		{name: "re-called with the call's date", before: []string{isNew, isCalled}, last: "ticket_recalled CALLED line=1 called=09:10:00", want: ts{ticket.TransitionRecalled}, status: ticket.StatusCalled},
		{name: "served", before: []string{isNew, isCalled}, last: isServed, want: ts{ticket.TransitionServed}, status: ticket.StatusServed, occurred: "09:20:00"},
		{name: "served, none", last: isServed, want: ts{ticket.TransitionCreated, ticket.TransitionCalled, ticket.TransitionServed}, status: ticket.StatusServed, occurred: "09:20:00"},
		{name: "NOSHOW in any type", before: []string{isNew, isCalled}, last: "ticket_changed NOSHOW line=1", want: ts{ticket.TransitionNoShow}, status: ticket.StatusNoShow},
		{name: "NOSHOW after the end", before: []string{isNew, isCalled, isServed}, last: "ticket_served NOSHOW line=1", want: ts{ticket.TransitionNoShow}, status: ticket.StatusNoShow},
		{name: "cancelled by a clerk", before: []string{isNew}, last: "ticket_cancelled CANCELLED_BY_CLERK line=1 cancelled=09:05:00", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled, occurred: "09:05:00"},
		{name: "cancelled by a clerk, no time", before: []string{isNew}, last: "ticket_cancelled CANCELLED_BY_CLERK line=1", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled},
		{name: "CANCELLED in any type", before: []string{isNew}, last: "ticket_changed CANCELLED line=1 cancelled=09:05:00", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled, occurred: "09:05:00"},
		{name: "SCHEDULING_CANCELLED", before: []string{"ticket_created SCHEDULED line=1"}, last: "ticket_changed SCHEDULING_CANCELLED line=1", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled},
		{name: "SCHEDULING_CANCELLED_BY_VISITOR", before: []string{"ticket_created SCHEDULED line=1"}, last: "ticket_changed SCHEDULING_CANCELLED_BY_VISITOR line=1", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled},
		{name: "SCHEDULING_NOSHOW", before: []string{"ticket_created SCHEDULED line=1"}, last: "ticket_changed SCHEDULING_NOSHOW line=1", want: ts{ticket.TransitionNoShow}, status: ticket.StatusNoShow},
		{name: "changed, same status", before: []string{isNew}, last: "ticket_changed NEW line=1", want: ts{ticket.TransitionChanged}, status: ticket.StatusWaiting},
		{name: "changed, another line", before: []string{isNew}, last: "ticket_changed NEW line=2", want: ts{ticket.TransitionTransferred}, status: ticket.StatusWaiting},
		{name: "changed, reordered", before: []string{isNew}, last: "ticket_changed NEW line=1 orderAfter=09:30:00", want: ts{ticket.TransitionChanged}, status: ticket.StatusWaiting},
		{name: "changed to CALLED", before: []string{isNew}, last: "ticket_changed CALLED line=1 called=09:10:00", want: ts{ticket.TransitionCalled}, status: ticket.StatusCalled, occurred: "09:10:00"},
		{name: "changed back to NEW", before: []string{isNew, isCalled}, last: "ticket_changed NEW line=1", want: ts{ticket.TransitionReturned}, status: ticket.StatusWaiting},
	})
}

func omboriBody(d string) string {
	words, set := fields(d)
	position := []string{`"id":"p-1"`, `"queue":"q-1"`, `"label":"A2"`, `"status":"` + words[1] + `"`}
	if set["type"] == "" {
		set["type"] = "anonymous"
	}
	for k, v := range set {
		if strings.HasSuffix(k, "At") {
			position = append(position, fmt.Sprintf(`%q:%s`, k, stamp(v)))
		} else {
			position = append(position, fmt.Sprintf(`%q:%q`, k, v))
		}
	}
	if set["createdAt"] == "" {
		position = append(position, `"createdAt":`+stamp("09:00:00"))
	}
	return `{"type":"` + words[0] + `","organization":"o","data":{"position":{` + strings.Join(position, ",") + `}}}`
}

func omboriSource(t *testing.T, servingTab bool) source.Source {
	t.Helper()
	s, err := ombori.New(source.Config{Name: "store", Header: "Authorization", Secrets: secret(), ServingTab: servingTab})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOmboriMapping(t *testing.T) {
	t.Parallel()
	const (
		isNew       = "positionCreated pending"
		isBooked    = "bookingConfirmation draft type=booking createdAt=08:00:00"
		isActivated = "bookingActivated pending type=booking createdAt=08:00:00 activatedAt=09:00:00"
		isCalled    = "positionCalled notified calledAt=09:10:00"
		isServing   = "positionFulfilled fulfilled calledAt=09:10:00 fulfilledAt=09:11:00"
		isServed    = "positionCompleted completed calledAt=09:10:00 fulfilledAt=09:11:00 completedAt=09:20:00"
	)
	type ts = []ticket.Transition
	rows := []row{
		{name: "positionCreated", last: isNew, want: ts{ticket.TransitionCreated}, status: ticket.StatusWaiting, occurred: "09:00:00"},
		{name: "bookingConfirmation", last: isBooked, want: ts{ticket.TransitionBooked}, status: ticket.StatusBooked, occurred: "08:00:00"},
		{name: "bookingUpdated", before: []string{isBooked}, last: "bookingUpdated draft type=booking createdAt=08:00:00", want: ts{ticket.TransitionBookingUpdated}, status: ticket.StatusBooked},
		{name: "bookingUpdated, pending", before: []string{isBooked}, last: "bookingUpdated pending type=booking createdAt=08:00:00", want: ts{ticket.TransitionBookingUpdated}, status: ticket.StatusBooked},
		{name: "bookingActivated", before: []string{isBooked}, last: isActivated, want: ts{ticket.TransitionActivated}, status: ticket.StatusWaiting, occurred: "09:00:00"},
		{name: "bookingActivated, no time", before: []string{isBooked}, last: "bookingActivated pending type=booking createdAt=08:00:00", want: ts{ticket.TransitionActivated}, status: ticket.StatusWaiting},
		{name: "positionCalled", before: []string{isNew}, last: isCalled, want: ts{ticket.TransitionCalled}, status: ticket.StatusCalled, occurred: "09:10:00"},
		{name: "positionCalled again", before: []string{isNew, isCalled}, last: "positionCalled notified calledAt=09:15:00", want: ts{ticket.TransitionRecalled}, status: ticket.StatusCalled, occurred: "09:15:00"},
		{name: "positionCalled whatever the notification", before: []string{isNew}, last: "positionCalled notifiedToApproach calledAt=09:10:00", want: ts{ticket.TransitionCalled}, status: ticket.StatusCalled, occurred: "09:10:00"},
		{name: "positionRetry", before: []string{isNew, isCalled}, last: "positionRetry pending calledAt=09:10:00", want: ts{ticket.TransitionReturned}, status: ticket.StatusWaiting},
		{name: "positionRetry, the call was lost", before: []string{isNew}, last: "positionRetry pending calledAt=09:10:00", want: ts{ticket.TransitionCalled, ticket.TransitionReturned}, status: ticket.StatusWaiting},
		{name: "positionFulfilled", before: []string{isNew, isCalled}, last: isServing, want: ts{ticket.TransitionServiceStarted}, status: ticket.StatusServing, occurred: "09:11:00"},
		{name: "positionCalled dated after the check-in", before: []string{isNew, "positionFulfilled fulfilled fulfilledAt=09:09:00"}, last: isCalled, want: ts{ticket.TransitionChanged}, status: ticket.StatusServing, occurred: "09:10:00"},
		{name: "positionCompleted", before: []string{isNew, isCalled, isServing}, last: isServed, want: ts{ticket.TransitionServed}, status: ticket.StatusServed, occurred: "09:20:00"},
		{name: "positionRemoved while waiting", before: []string{isNew}, last: "positionRemoved rejected rejectedAt=09:12:00", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled, occurred: "09:12:00"},
		{name: "positionRemoved after a call", before: []string{isNew, isCalled}, last: "positionRemoved rejected calledAt=09:10:00 rejectedAt=09:12:00", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled, occurred: "09:12:00"},
		{name: "bookingRemoved, its old name", before: []string{isNew}, last: "bookingRemoved rejected rejectedAt=09:12:00", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled, occurred: "09:12:00"},
		{name: "positionCancelled", before: []string{isNew}, last: "positionCancelled rejected rejectedAt=09:12:00", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled, occurred: "09:12:00"},
		{name: "positionCancelledByStaff", before: []string{isBooked}, last: "positionCancelledByStaff rejected type=booking createdAt=08:00:00 rejectedAt=09:12:00", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled, occurred: "09:12:00"},
		{name: "feedback never reopens", before: []string{isNew, isCalled, isServed}, last: "feedbackReceived completed", want: ts{ticket.TransitionFeedback}, status: ticket.StatusServed},
		{name: "a notification is no call", before: []string{isBooked, isActivated}, last: "bookingUpdated notifiedToLeave type=booking createdAt=08:00:00 activatedAt=09:00:00", want: ts{ticket.TransitionChanged}, status: ticket.StatusWaiting},
	}
	checkRows(t, omboriSource(t, true), omboriBody, rows)
}

// With the serving tab off a check-in is the last that is heard of a position.
func TestOmboriMappingWithoutServingTab(t *testing.T) {
	t.Parallel()
	checkRows(t, omboriSource(t, false), omboriBody, []row{{
		name: "positionFulfilled", before: []string{"positionCreated pending", "positionCalled notified calledAt=09:10:00"},
		last: "positionFulfilled fulfilled calledAt=09:10:00 fulfilledAt=09:11:00",
		want: []ticket.Transition{ticket.TransitionServed}, status: ticket.StatusServed, occurred: "09:11:00",
	}})
}

func superofficeBody(d string) string {
	words, set := fields(d)
	body := []string{
		`"EventId":"` + d + `"`, `"Event":"` + words[0] + `"`, `"PrimaryKey":527`, `"Entity":"ticket"`, `"ContextIdentifier":"Cust1"`,
		`"Timestamp":` + stamp(set["at"]), `"Changes":[` + changes(set["changes"]) + `]`,
	}
	if set["status"] != "" {
		category := set["category"]
		if category == "" {
			category = "2"
		}
		body = append(body, `"FieldValues":{"status":`+set["status"]+`,"owned_by":`+set["owner"]+`,"category":`+category+`,"connect_id":42}`)
	}
	return "{" + strings.Join(body, ",") + "}"
}

func changes(list string) string {
	if list == "" {
		return ""
	}
	return `"` + strings.ReplaceAll(list, ",", `","`) + `"`
}

func TestSuperOfficeMapping(t *testing.T) {
	t.Parallel()
	s, err := superoffice.New(source.Config{Name: "crm", Secrets: secret()})
	if err != nil {
		t.Fatal(err)
	}
	const (
		isNew    = "ticket.created at=09:00:00 status=1 owner=1"
		isOwned  = "ticket.changed at=09:10:00 status=1 owner=8 changes=owned_by"
		isClosed = "ticket.changed at=09:20:00 status=2 owner=8 changes=status"
		isHeld   = "ticket.changed at=09:20:00 status=3 owner=8 changes=status"
	)
	type ts = []ticket.Transition
	rows := []row{
		{name: "created, unassigned", last: isNew, want: ts{ticket.TransitionCreated}, status: ticket.StatusWaiting, occurred: "09:00:00"},
		{name: "created, unassigned as 0", last: "ticket.created at=09:00:00 status=1 owner=0", want: ts{ticket.TransitionCreated}, status: ticket.StatusWaiting, occurred: "09:00:00"},
		{name: "created, unassigned as -1", last: "ticket.created at=09:00:00 status=1 owner=-1", want: ts{ticket.TransitionCreated}, status: ticket.StatusWaiting, occurred: "09:00:00"},
		{name: "created, unassigned as null", last: "ticket.created at=09:00:00 status=1 owner=null", want: ts{ticket.TransitionCreated}, status: ticket.StatusWaiting, occurred: "09:00:00"},
		{name: "created, owned", last: "ticket.created at=09:00:00 status=1 owner=8", want: ts{ticket.TransitionCreated, ticket.TransitionCalled}, status: ticket.StatusCalled, occurred: "09:00:00"},
		{name: "created, closed", last: "ticket.created at=09:00:00 status=2 owner=1", want: ts{ticket.TransitionCreated, ticket.TransitionCalled, ticket.TransitionServed}, status: ticket.StatusServed, occurred: "09:00:00"},
		{name: "created, no FieldValues", last: "ticket.created at=09:00:00", want: ts{ticket.TransitionCreated}, status: ticket.StatusWaiting, occurred: "09:00:00"},
		{name: "unassigned to X", before: []string{isNew}, last: isOwned, want: ts{ticket.TransitionCalled}, status: ticket.StatusCalled, occurred: "09:10:00"},
		{name: "X to Y", before: []string{isNew, isOwned}, last: "ticket.changed at=09:12:00 status=1 owner=9", want: ts{ticket.TransitionChanged}, status: ticket.StatusCalled},
		{name: "X to unassigned", before: []string{isNew, isOwned}, last: "ticket.changed at=09:12:00 status=1 owner=1", want: ts{ticket.TransitionReturned}, status: ticket.StatusWaiting, occurred: "09:12:00"},
		{name: "1 to 2", before: []string{isNew, isOwned}, last: isClosed, want: ts{ticket.TransitionServed}, status: ticket.StatusServed, occurred: "09:20:00"},
		{name: "3 to 2", before: []string{isNew, isOwned, isHeld}, last: "ticket.changed at=09:30:00 status=2 owner=8", want: ts{ticket.TransitionServed}, status: ticket.StatusServed, occurred: "09:30:00"},
		{name: "2 to 1", before: []string{isNew, isOwned, isClosed}, last: "ticket.changed at=09:30:00 status=1 owner=1", want: ts{ticket.TransitionReopened}, status: ticket.StatusWaiting, occurred: "09:30:00"},
		{name: "1 to 3", before: []string{isNew, isOwned}, last: isHeld, want: ts{ticket.TransitionOnHold}, status: ticket.StatusOnHold},
		{name: "3 to 1", before: []string{isNew, isOwned, isHeld}, last: "ticket.changed at=09:30:00 status=1 owner=8", want: ts{ticket.TransitionResumed}, status: ticket.StatusCalled},
		{name: "to 4", before: []string{isNew}, last: "ticket.changed at=09:12:00 status=4 owner=1", want: ts{ticket.TransitionCancelled}, status: ticket.StatusCancelled, occurred: "09:12:00"},
		{name: "to 5", before: []string{isNew}, last: "ticket.changed at=09:12:00 status=5 owner=1", want: ts{ticket.TransitionMerged}, status: ticket.StatusMerged, occurred: "09:12:00"},
		{name: "taken and deleted at once", before: []string{isNew}, last: "ticket.changed at=09:12:00 status=4 owner=8", want: ts{ticket.TransitionCalled, ticket.TransitionCancelled}, status: ticket.StatusCancelled, occurred: "09:12:00"},
		{name: "another category", before: []string{isNew}, last: "ticket.changed at=09:12:00 status=1 owner=1 category=3", want: ts{ticket.TransitionTransferred}, status: ticket.StatusWaiting, occurred: "09:12:00"},
		{name: "first reply", before: []string{isNew, isOwned}, last: "ticket.changed at=09:12:00 status=1 owner=8 changes=replied_at", want: ts{ticket.TransitionServiceStarted}, status: ticket.StatusServing, occurred: "09:12:00"},
		{name: "a mere read", before: []string{isNew, isOwned}, last: "ticket.changed at=09:12:00 status=1 owner=8 changes=id,read_by_owner", want: ts{ticket.TransitionChanged}, status: ticket.StatusCalled},
		{name: "no FieldValues, perhaps closed", before: []string{isNew}, last: "ticket.changed at=09:12:00 changes=closed_at,status", want: ts{ticket.TransitionChanged}, status: ticket.StatusWaiting},
	}
	checkRows(t, s, superofficeBody, rows)
}

// A clock that runs behind takes no wait away: the call's own time counts, and the activation's, whatever is dated before.
func TestStepsDatedBeforeWhatTheyFollow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		servingTab bool
		deliveries []string
		want       int64 // the wait, in seconds
	}{
		"a check-in before its call": {
			servingTab: true, want: 548,
			deliveries: []string{
				"positionCreated pending createdAt=12:31:17", "positionCalled notified createdAt=12:31:17 calledAt=12:40:25",
				"positionFulfilled fulfilled createdAt=12:31:17 calledAt=12:40:25 fulfilledAt=12:39:28",
				"positionCompleted completed createdAt=12:31:17 calledAt=12:40:25 fulfilledAt=12:39:28 completedAt=12:45:12",
			},
		},
		"an end before the booking's activation": {
			want: 3,
			deliveries: []string{
				"bookingConfirmation draft type=booking createdAt=08:00:00",
				"bookingActivated pending type=booking createdAt=08:00:00 activatedAt=16:53:35",
				"positionCalled notified type=booking createdAt=08:00:00 activatedAt=16:53:35 calledAt=16:53:38",
				"positionFulfilled fulfilled type=booking createdAt=08:00:00 activatedAt=16:53:35 calledAt=16:53:38 fulfilledAt=16:52:53",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := omboriSource(t, c.servingTab)
			var tk ticket.Ticket
			for i, d := range c.deliveries {
				decoded, err := s.Decode([]byte(omboriBody(d)))
				if err != nil {
					t.Fatal(err)
				}
				o := *decoded.Ticket
				o.Position, o.ReceivedAt = int64(i+1), day("17:00:00")
				tk, _ = ticket.Apply(tk, o)
			}
			if len(tk.Segments) != 1 {
				t.Fatalf("%d segments", len(tk.Segments))
			}
			if wait, over := tk.Segments[0].Wait(); !over || wait != c.want {
				t.Errorf("wait %d, over: %t; want %d", wait, over, c.want)
			}
			if len(tk.Calls) != 1 {
				t.Errorf("%d calls, want one", len(tk.Calls))
			}
		})
	}
}
