package dashboard

import (
	"cmp"
	"slices"
	"strings"
)

// assumption is a flag in words: what is doubtful, and what queuetrack made of it.
type assumption struct{ Flag, Name, Text string }

// assumptionOf explains a flag; a new one has at least its name.
func assumptionOf(flag string) assumption {
	a := assumption{Flag: flag, Name: spaced(flag)}
	switch flag {
	case "creation_implied":
		a.Text = "No delivery told of the creation itself. The ticket begins with the first that told of it."
	case "call_implied":
		a.Text = "No delivery told of the call. It is known only from what followed, and taken to have been then."
	case "entry_implied":
		a.Text = "No delivery told when the booking began to wait. It is known only from what followed."
	case "time_assumed":
		a.Text = "The vendor gave no time. The time when the webhook was received stands in."
	case "clock_ahead":
		a.Text = "The vendor's time is later than the receipt of the webhook: its clock is ahead of ours. It is taken as told."
	case "negative_wait":
		a.Text = "By the vendor's clock it was called before it entered the queue. Reports leave the wait out."
	case "negative_service":
		a.Text = "By the vendor's clock it ended before its service began. Reports leave the service out."
	case "return_assumed":
		a.Text = "Taken as sent back to the queue. It may have been a late retry of the creation."
	case "reopen_assumed":
		a.Text = "Taken as opened again after its end, since the vendor told of it again."
	case "self_registered":
		a.Text = "It had an owner from the start, so it never waited. Reports leave its wait and its service out."
	case "maybe_closed":
		a.Text = "The delivery hints at an end without its status. The ticket is still taken as open."
	case "unattended":
		a.Text = "A timer ended it, with no one serving."
	case "too_many_facts":
		a.Text = "More was told of it than is kept for one ticket. What came last was left out."
	}
	return a
}

// statusText is a status as a sentence goes on.
func statusText(t ticketState) string {
	switch t.Status {
	case "booked":
		return "booked for later"
	case "called":
		if t.Desk != nil {
			return "called to desk " + *t.Desk
		}
		return "called"
	case "serving":
		if t.Desk != nil {
			return "at desk " + *t.Desk
		}
		return "at the desk"
	case "on_hold":
		return "on hold: postponed by an agent"
	case "cancelled":
		return "ended: given up by the visitor, or removed by staff"
	case "no_show":
		return "ended: called, and did not come"
	case "served":
		return "ended: served"
	case "merged":
		return "ended: joined to another ticket"
	case "expired":
		return "ended by queuetrack: no webhook for too long, or closed by hand"
	}
	return spaced(t.Status)
}

// transitionsText is what was made of an event.
func transitionsText(transitions []string) string {
	words := make([]string, len(transitions))
	for i, t := range transitions {
		switch t {
		case "changed":
			words[i] = "nothing moved"
		case "returned":
			words[i] = "sent back to wait"
		case "recalled":
			words[i] = "called again"
		case "activated":
			words[i] = "booking began to wait"
		default:
			words[i] = spaced(t)
		}
	}
	return cmp.Or(strings.Join(words, ", "), "nothing was made of it")
}

// told is something that an event said.
type told struct{ Name, Value string }

// detailOrder is how what an event said is read out.
var detailOrder = []string{"status", "queue", "desk", "agent", "label", "by", "reason"}

// toldBy lists what an event said: what has a place in the order first.
func toldBy(detail map[string]string) []told {
	list := make([]told, 0, len(detail))
	for name, value := range detail {
		list = append(list, told{name, value})
	}
	slices.SortFunc(list, func(a, b told) int {
		return cmp.Or(cmp.Compare(rank(a.Name), rank(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return list
}

func rank(name string) int {
	if i := slices.Index(detailOrder, name); i >= 0 {
		return i
	}
	return len(detailOrder)
}
