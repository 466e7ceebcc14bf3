package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of what is taken from a body, in bytes.
const (
	MaxID   = 200 // of a ticket's id; a longer one is refused, never cut
	MaxText = 200 // of any other text; the rest is cut off
	MaxType = 100 // of an event's type; the rest is cut off
)

// Object is a JSON object in a body: its members in the order sent, their values still unparsed. Names are matched
// exactly, and of members with the same name the last one counts, whole.
//
// Its methods are tolerant: a member that is absent or of an unexpected kind gives a zero value, so one odd field
// never loses the rest of a delivery. The zero Object has no members. All text they return is valid UTF-8 without
// control characters (Postgres text can't hold a NUL, and a terminal should not obey a label).
type Object struct {
	body    []byte
	members []member
}

// byteOrderMark may come before a body: .NET writes it where it is asked for UTF-8, and JSON readers may ignore it.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Parse reads a body that must be one JSON object in UTF-8. Its errors are fit to be shown to people as the cause of a
// quarantine. Nesting is limited as in encoding/json (10,000 levels), and costs no stack.
func Parse(body []byte) (Object, error) {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if !utf8.Valid(body) {
		return Object{}, errors.New("not JSON: not UTF-8")
	}
	members, ok := scan(body)
	if !ok {
		var discard json.RawMessage
		return Object{}, fmt.Errorf("not JSON: %w", json.Unmarshal(body, &discard))
	}
	if body[space(body, 0)] != '{' {
		return Object{}, errors.New("not a JSON object")
	}
	return Object{body, members}, nil
}

// Has reports whether there is such a member, whatever its value, null apart.
func (o Object) Has(name string) bool {
	v := o.raw(name)
	return v != nil && v[0] != 'n'
}

// Object returns the member that is an object, else the zero Object.
func (o Object) Object(name string) Object {
	i := o.find(name)
	if i < 0 || o.body[o.members[i].value] != '{' {
		return Object{}
	}
	return Object{o.body, o.members[i+1 : i+int(o.members[i].size)]}
}

// Text returns the member that is a string, cleaned, trimmed and cut to MaxText bytes.
func (o Object) Text(name string) string { return clean(unquote(o.raw(name)), MaxText) }

// Type returns the member that names the event, cut to MaxType bytes, else UnknownType.
func (o Object) Type(name string) string {
	if t := clean(unquote(o.raw(name)), MaxType); t != "" {
		return t
	}
	return UnknownType
}

// Scalar returns the member that is a string (as Text) or a whole number (its digits): vendors write their ids as
// either.
func (o Object) Scalar(name string) string {
	v := o.raw(name)
	if isWhole(v) && len(v) <= MaxText {
		return string(v)
	}
	return clean(unquote(v), MaxText)
}

// Verbatim returns the member that is a string, or a number as it is written: for keys, never to be shown or stored as
// it is.
func (o Object) Verbatim(name string) string {
	v := o.raw(name)
	if v != nil && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') {
		return string(v)
	}
	return unquote(v)
}

// Int returns the member that is a whole number, or a string of one.
func (o Object) Int(name string) (n int64, ok bool) {
	n, err := strconv.ParseInt(o.Scalar(name), 10, 64)
	return n, err == nil
}

// ID returns the member that is a ticket's id, or an event's: a string, or a whole number without a sign. It is never altered, so
// what can't be kept as it is, is an error.
func (o Object) ID(name string) (string, error) {
	v := o.raw(name)
	id := unquote(v)
	if isWhole(v) && v[0] != '-' {
		id = string(v)
	}
	switch {
	case !o.Has(name):
		return "", fmt.Errorf("%s is missing", name)
	case id == "":
		return "", fmt.Errorf("%s is neither a text nor a whole number", name)
	case len(id) > MaxID:
		return "", fmt.Errorf("%s is longer than %d bytes", name, MaxID)
	case clean(id, MaxID) != id:
		return "", fmt.Errorf("%s has control characters or surrounding space", name)
	case hasLoneSurrogate(v):
		return "", fmt.Errorf("%s has half of a surrogate pair, which is no character", name)
	}
	return id, nil
}

// Time returns the member that is a time, by [ParseTime].
func (o Object) Time(name string, zone *time.Location) time.Time {
	return ParseTime(unquote(o.raw(name)), zone)
}

// Names returns the strings of the member that is an array, or the names of the members of one that is an object.
func (o Object) Names(name string) []string {
	v := o.raw(name)
	if v == nil {
		return nil
	}
	var names []string
	switch v[0] {
	case '{':
		in := o.Object(name)
		for i := 0; i < len(in.members); i += int(in.members[i].size) {
			names = append(names, in.name(i))
		}
	case '[':
		for _, element := range elements(v) {
			if s := unquote(element); s != "" {
				names = append(names, s)
			}
		}
	}
	return names
}

// elements returns those of an array that are strings. They are few, and read once.
func elements(array []byte) [][]byte {
	s := scanner{body: array}
	var found [][]byte
	for i, depth := 0, 0; i < len(array); {
		switch array[i] {
		case '"':
			end, _ := s.text(i)
			if depth == 1 {
				found = append(found, array[i:end])
			}
			i = end
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		i++
	}
	return found
}

// raw returns the value of the last member of this name, nil when there is none.
func (o Object) raw(name string) []byte {
	if i := o.find(name); i >= 0 {
		return o.body[o.members[i].value:o.members[i].valueEnd]
	}
	return nil
}

// find returns the index of the last member of this name, -1 when there is none.
func (o Object) find(name string) int {
	last := -1
	for i := 0; i < len(o.members); i += int(o.members[i].size) {
		m := &o.members[i]
		if m.escaped && o.name(i) == name ||
			!m.escaped && int(m.nameEnd-m.name) == len(name) && string(o.body[m.name:m.nameEnd]) == name {
			last = i
		}
	}
	return last
}

// name is the name of the i-th member.
func (o Object) name(i int) string {
	m := &o.members[i]
	if m.escaped {
		return unquote(o.body[m.name-1 : m.nameEnd+1])
	}
	return string(o.body[m.name:m.nameEnd])
}

// clean drops control characters and surrounding space, and cuts the text to limit bytes at a rune.
func clean(s string, limit int) string {
	s = strings.TrimSpace(s)
	if strings.ContainsFunc(s, isControl) {
		s = strings.TrimSpace(strings.Map(dropControl, s))
	}
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strings.TrimSpace(s[:limit])
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

func dropControl(r rune) rune {
	if isControl(r) {
		return -1
	}
	return r
}
