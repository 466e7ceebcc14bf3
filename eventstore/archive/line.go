package archive

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"

	"queuetrack/eventstore"
)

// MaxLine is the length of the longest line, in bytes: a body of 1 MiB, which is the largest that the door takes, in
// base64, and 64 KiB for all the rest.
const MaxLine = (1<<20+2)/3*4 + 64<<10

const header = `{"format":"queuetrack-log","version":1`

// stored is how times are written: to the microsecond, as Postgres keeps them.
const stored = "2006-01-02T15:04:05.999999Z"

// appendEvent appends an event's line.
func appendEvent(b []byte, e *eventstore.Event) []byte {
	b = append(b, `{"source":`...)
	b = appendText(b, e.Source)
	b = append(b, `,"position":`...)
	b = strconv.AppendInt(b, e.Position, 10)
	b = appendNullable(b, `,"ticket":`, e.Ticket)
	b = append(b, `,"type":`...)
	b = appendText(b, e.Type)
	b = appendNullable(b, `,"event_key":`, e.EventKey)
	if !e.OccurredAt.IsZero() {
		b = appendTime(b, `,"occurred_at":"`, e.OccurredAt)
	}
	b = appendTime(b, `,"received_at":"`, e.ReceivedAt)
	b = append(b, `,"delivery_id":"`...)
	b = append(b, e.DeliveryID.String()...)
	b = append(b, `","verified_by":`...)
	b = appendText(b, e.VerifiedBy)
	b = appendNullable(b, `,"quarantined":`, e.Quarantined)
	if e.RepeatOf != 0 {
		b = append(b, `,"repeat_of":`...)
		b = strconv.AppendInt(b, e.RepeatOf, 10)
	}
	b = appendDigest(b, e.Digest)
	b = append(b, `,"body":"`...)
	b = base64.StdEncoding.AppendEncode(b, e.Body)
	return append(b, "\"}\n"...)
}

func appendNullable(b []byte, member, text string) []byte {
	if text == "" {
		return b
	}
	return appendText(append(b, member...), text)
}

func appendTime(b []byte, member string, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, member...), stored), '"')
}

func appendDigest(b []byte, digest [32]byte) []byte {
	b = append(b, `,"digest":"`...)
	return append(hex.AppendEncode(b, digest[:]), '"')
}

// appendText appends a JSON string. Only what JSON forbids is escaped, each in one way.
func appendText(b []byte, text string) []byte {
	b = append(b, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, `\u00`...)
			b = hex.AppendEncode(b, []byte{c})
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// storable says whether Postgres can keep the text as it is.
func storable(text string) bool {
	for i := range len(text) {
		if text[i] == 0 {
			return false
		}
	}
	return utf8.ValidString(text)
}
