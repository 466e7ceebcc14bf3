package eventstore

// batch is what one transaction takes: the next deliveries, in their order, as far as they can be judged by the log
// alone. So none in it may depend on what becomes of another one: no two that are sent have one key, or one ticket and
// one body.
type batch struct {
	entries []entry // all of them
	sent    []entry // without those that ride along
	seats   []int   // of each entry its place in sent, or that of the one that it rides with
}

// nextBatch takes as many of the entries as go together, and at most so many.
//
// A delivery that says again what the one before it said is not sent: it rides along, and is a duplicate of whatever
// that one turns out to be. What comes back after something else (X, Y, X) ends the batch, and begins the next one.
func nextBatch(es []entry, most int) batch {
	var b batch
	keys, bodies, latest := map[string]int{}, map[likeness]int{}, map[string]int{}
	for _, e := range es[:min(len(es), most)] {
		r, like := ruleOf(e.Delivery), likeness{e.Ticket, e.digest}
		if seat, known := keys[e.EventKey]; known && r == ruleKey {
			b.seats = append(b.seats, seat)
			continue
		}
		if seat, known := bodies[like]; known {
			if seat != latest[e.Ticket] || !repeats(e, b.sent[seat]) {
				break
			}
			b.seats = append(b.seats, seat)
			continue
		}
		seat := len(b.sent)
		bodies[like], latest[e.Ticket] = seat, seat
		if r == ruleKey {
			keys[e.EventKey] = seat
		}
		b.sent, b.seats = append(b.sent, e), append(b.seats, seat)
	}
	b.entries = es[:len(b.seats)]
	return b
}

// likeness is what two deliveries must not have in common.
type likeness struct {
	ticket string
	digest [32]byte
}

// repeats says whether e, of the same ticket and body as the delivery just before it, shares its fate. Not when e was
// received first: then only that one may be a replay. Nor by ruleSeen: e may have been received too long after the event
// that both repeat.
func repeats(e, before entry) bool {
	return ruleOf(e.Delivery) == ruleLatest && ruleOf(before.Delivery) == ruleLatest && !e.ReceivedAt.Before(before.ReceivedAt)
}

// receipts are those of all entries, made from those that were sent.
func (b batch) receipts(sent []Receipt) []Receipt {
	all := make([]Receipt, len(b.entries))
	taken := 0 // seats are filled in order: who finds his taken rides along
	for i, seat := range b.seats {
		all[i] = sent[seat]
		if seat < taken {
			all[i].Result = Duplicate
			continue
		}
		taken++
	}
	return all
}
