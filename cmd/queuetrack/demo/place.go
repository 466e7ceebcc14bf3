package demo

import "time"

// Place is one service point: what the configuration needs to know of it, and how people behave there.
type Place struct {
	Source string // its name in the configuration
	Vendor Vendor
	Zone   string
	Queues []Queue

	habits habits
}

// Vendor says who reports what happens at a place.
type Vendor string

// The vendors.
const (
	Qminder     Vendor = "qminder"
	Ombori      Vendor = "ombori"
	SuperOffice Vendor = "superoffice"
)

// Queue is one queue of a place.
type Queue struct {
	ID, Name, Location string

	perHour float64 // arrivals
	desks   int
}

// habits is how people behave. Counts are of 1,000 visitors.
type habits struct {
	books    int // come by appointment
	edits    int // are edited while they wait
	leaves   int // give up, if the wait outlasts their patience
	recalled int // have to be called a second time
	returns  int // are sent back to the queue after a call
	noShow   int // never come
	moves    int // are sent on to another queue
	pauses   int // are put on hold
	reopens  int // come back after the end
	merges   int // turn out to be another's
	rates    int // leave feedback
	patience time.Duration
	walk     time.Duration // from the call to the desk
	service  time.Duration
}

// Places are the three service points of the demo.
func Places() []Place {
	return []Place{
		{
			Source: "city", Vendor: Qminder, Zone: "Europe/Tallinn",
			Queues: []Queue{
				{"37338", "Passports", "City Hall", 62, 6},
				{"37339", "Registration", "City Hall", 48, 4},
				{"37340", "Parking permits", "City Hall", 34, 3},
			},
			habits: habits{
				edits: 60, leaves: 450, recalled: 90, returns: 35, noShow: 45, moves: 25,
				patience: 9 * time.Minute, walk: 25 * time.Second, service: 5 * time.Minute,
			},
		},
		{
			Source: "store", Vendor: Ombori, Zone: "Europe/Stockholm",
			Queues: []Queue{
				{"b23bea4f-8e8a-4da6-b413-04454f8428aa", "Kitchens", "Store Kungens Kurva", 40, 4},
				{"dd31dda9-5ec0-46c6-a75b-71cb1f66a48d", "Returns", "Store Kungens Kurva", 66, 5},
			},
			habits: habits{
				books: 220, leaves: 450, recalled: 80, returns: 50, noShow: 40, rates: 150,
				patience: 8 * time.Minute, walk: 40 * time.Second, service: 4 * time.Minute,
			},
		},
		{
			Source: "crm", Vendor: SuperOffice, Zone: "Europe/Oslo",
			Queues: []Queue{
				{"2", "Support", "Help desk", 44, 5},
				{"3", "Billing", "Help desk", 30, 3},
			},
			habits: habits{
				edits: 300, leaves: 150, returns: 40, moves: 60, pauses: 90, reopens: 60, merges: 50,
				patience: 10 * time.Minute, walk: time.Minute, service: 5 * time.Minute,
			},
		},
	}
}

// step is what happens to a visitor, in the simulation's own words; a voice says it in its vendor's.
type step string

const (
	arrives    step = "arrives"
	books      step = "books"
	rebooks    step = "rebooks"
	activates  step = "activates" // a booking begins to wait
	isEdited   step = "is edited"
	isCalled   step = "is called"
	isRecalled step = "is recalled"
	returns    step = "returns"
	starts     step = "starts" // arrives at the desk
	pauses     step = "pauses"
	resumes    step = "resumes"
	moves      step = "moves" // to another queue
	isServed   step = "is served"
	leaves     step = "leaves"
	noShow     step = "never comes"
	merges     step = "merges"
	reopens    step = "reopens"
	rates      step = "rates"
)

// voice tells steps in a vendor's words.
type voice interface {
	// say returns the body of the vendor's webhook, nil for what the vendor does not report.
	say(d *Day, v *visitor, s step) []byte

	// opening returns what the vendor sends about the place itself.
	opening(p Place) [][]byte
}

func voiceOf(v Vendor) voice {
	switch v {
	case Qminder:
		return qminderVoice{}
	case Ombori:
		return omboriVoice{}
	case SuperOffice:
		return superofficeVoice{}
	}
	panic("demo: no voice for " + string(v))
}
