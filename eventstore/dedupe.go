package eventstore

// rule says which events a delivery may be a duplicate of.
type rule string

const (
	// ruleAlways: of none. An operator's retry out of the quarantine, and our own events without a key.
	ruleAlways rule = "always"

	// ruleKey: of the event with the same key, whenever that came and whatever its bytes.
	ruleKey rule = "key"

	// ruleLatest: of the ticket's latest event, when the bodies are equal. Not of an older one: A → B → A is an edit
	// taken back, or a visitor sent back to the queue. But when the older one was received longer ago than the
	// replay window, nobody edits any more: somebody plays back a recording, and the delivery is kept in quarantine,
	// once.
	//
	// The latest event is the vendor's latest that could be used. Quarantined ones don't count, since the fold never
	// saw them. Our own don't either: had they, then a vendor's late retry of A would, after our expiry, look like
	// the edit A → expired → A and bring the ticket back to life. The price: a vendor that says again what it said
	// last, of a ticket that we ended, is not heard.
	ruleLatest rule = "latest"

	// ruleSeen: of the same body within the replay window. For what is about no ticket (compared with all without a
	// ticket), and for what is quarantined of a ticket (compared with that ticket's quarantine).
	ruleSeen rule = "seen"
)

func ruleOf(d Delivery) rule {
	if d.RepeatOf > 0 {
		return ruleAlways
	}
	if d.EventKey != "" {
		return ruleKey
	}
	if d.VerifiedBy == Own {
		return ruleAlways
	}
	if d.Ticket != "" && d.Quarantined == "" {
		return ruleLatest
	}
	return ruleSeen
}
