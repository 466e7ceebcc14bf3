package ticket

// words are the language's own words, by the numbers that they are stored under. New ones go to the end; anything else
// needs another version of what is stored.
var words = [...]string{
	"booked", "waiting", "called", "serving", "on_hold", "served", "cancelled", "no_show", "merged", "expired",

	"created", "booking_updated", "activated", "recalled", "returned", "service_started", "transferred", "resumed",
	"reopened", "changed", "feedback",

	"open", "abandoned", "customer", "staff",

	"creation_implied", "call_implied", "entry_implied", "time_assumed", "clock_ahead", "negative_wait",
	"negative_service", "return_assumed", "reopen_assumed", "self_registered", "maybe_closed", "unattended",
	"too_many_facts",
}

// unlisted is the number of a word that isn't one of them.
const unlisted = uint64(len(words) + 1)

var numbers = func() map[string]uint64 {
	m := map[string]uint64{"": 0}
	for i, w := range words {
		m[w] = uint64(i + 1)
	}
	return m
}()

func numberOf(word string) uint64 {
	if n, ok := numbers[word]; ok {
		return n
	}
	return unlisted
}

func wordOf(number uint64) string {
	if number == 0 {
		return ""
	}
	return words[number-1]
}
