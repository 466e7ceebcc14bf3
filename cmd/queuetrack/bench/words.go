package bench

import (
	"fmt"
	"time"
)

// words are a ticket as Qminder tells it in a webhook: as it now is, with the times of its steps so far.
type words struct {
	event, status string
	id            int64
	public        string // the label on the screens
	source        string
	line          int64
	first, last   string
	phone         int64
	created       time.Time
	called        time.Time // zero: not yet, or not any more
	caller, desk  int64
	served        time.Time // zero: not
	language      string
	reason        string
}

// room is what a body takes, and some more.
const room = 512

// body words the webhook.
func (w words) body() []byte {
	body := fmt.Appendf(make([]byte, 0, room), `{"type":"%s","data":{"id":"%d","publicId":"%s","status":"%s","source":"%s","line":%d,`+
		`"firstName":"%s","lastName":"%s","phoneNumber":%d,"created":{"date":"`,
		w.event, w.id, w.public, w.status, w.source, w.line, w.first, w.last, w.phone)
	body = append(w.created.UTC().AppendFormat(body, stampLayout), `"}`...)
	if !w.called.IsZero() {
		body = w.called.UTC().AppendFormat(append(body, `,"called":{"date":"`...), stampLayout)
		body = fmt.Appendf(body, `","caller":%d,"desk":%d}`, w.caller, w.desk)
	}
	if !w.served.IsZero() {
		body = w.served.UTC().AppendFormat(append(body, `,"served":{"date":"`...), stampLayout)
		body = append(body, `"}`...)
	}
	return fmt.Appendf(body, `,"extra":[{"title":"First time visitor?","value":"%s"},{"title":"Language","value":"%s"}]}}`, w.reason, w.language)
}

const stampLayout = "2006-01-02T15:04:05Z"
