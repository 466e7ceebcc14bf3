package bench

import (
	"fmt"
	"strconv"
	"time"
)

// Row is one delivery as the log keeps it.
type Row struct {
	Ticket, Type string
	Body         []byte
}

// visits are the deliveries of one sender: visitors who come, are called and served, three webhooks each as Qminder
// words them. Several visitors are there at a time, and no two senders share one, so deliveries of a ticket stay in
// order.
type visits struct {
	next   int64 // the number of the next visitor
	stride int64 // from one of ours to the next
	crowd  int   // how many are there at a time
	began  time.Time
	here   []visit // the oldest first
}

type visit struct {
	number int64
	said   int
}

// What there is to visit.
const (
	queues = 10
	desks  = 12
)

// row returns the next delivery: somebody comes, or whoever has been there for the longest moves on.
func (v *visits) row() Row {
	if len(v.here) < v.crowd {
		v.here = append(v.here, visit{number: v.next})
		v.next += v.stride
		return v.say(len(v.here) - 1)
	}
	row := v.say(0)
	if v.here[0].said == 3 {
		v.here = append(v.here[:0], v.here[1:]...)
	}
	return row
}

// say words the next webhook of a visit. Its times lie a while back, and in their order.
func (v *visits) say(i int) Row {
	visit := &v.here[i]
	visit.said++
	came := v.began.Add(time.Duration(visit.number%900-1800) * time.Second)
	w := words{
		event: "ticket_created", status: "NEW", id: visit.number, public: fmt.Sprintf("P%d", visit.number%1000), source: "MANUAL",
		line: 100 + visit.number%queues, first: "Mari", last: "Maasikas", phone: 37255500000, created: came,
		language: "et", reason: "Passport",
	}
	if visit.said > 1 {
		w.event, w.status, w.called = "ticket_called", "CALLED", came.Add(5*time.Minute)
		w.caller, w.desk = 4000+visit.number%desks, visit.number%desks
	}
	if visit.said > 2 {
		w.event, w.status, w.served = "ticket_served", "SERVED", came.Add(9*time.Minute)
	}
	return Row{Ticket: strconv.FormatInt(visit.number, 10), Type: w.event, Body: w.body()}
}
