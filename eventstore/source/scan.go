package source

import "math"

// Reading a body is most of what a rebuild does to an event, and most of that was walking it: to see that it is JSON, for
// the members of the whole, for those of an object in it. A scanner walks it once, without recursion, and copies nothing.
// What it takes is what json.Valid takes (FuzzParse holds the two together); the words for what is wrong are left to the
// standard library.

// member is a member of an object, by indexes into the body. The members of an object that is a value follow its own
// member, so a tree of objects is one list. Objects in arrays are nobody's business here, and not in it.
type member struct {
	name, nameEnd   int32 // without the quotes
	value, valueEnd int32
	size            int32 // how many members this is, with those in it
	escaped         bool  // the name has a backslash
}

// maxNesting is how deep encoding/json goes.
const maxNesting = 10_000

// usual is how many bytes a member mostly takes, or more.
const usual = 24

// scanner walks a body. Positions are its indexes; -1 means that what was there is no JSON.
type scanner struct {
	body    []byte
	members []member
	open    []nest // what the walk is in
	begun   bool   // the innermost of them has just begun
}

// nest is an object or array whose end has not come yet.
type nest struct {
	owner int32 // the member whose value it is; -1: none
	end   byte  // '}' or ']'
	kept  bool  // an object whose members are
}

// scan returns the members of the body, if it is JSON and shorter than 2 GiB (the door takes far less). Those of a body that
// is no object are none.
func scan(body []byte) (members []member, ok bool) {
	if len(body) > math.MaxInt32 {
		return nil, false
	}
	var room [16]nest
	s := scanner{body: body, members: make([]member, 0, 4+len(body)/usual), open: room[:0]}
	i := s.value(space(body, 0), -1, true)
	for i >= 0 && len(s.open) > 0 {
		i = s.next(space(body, i))
	}
	return s.members, i >= 0 && space(body, i) == len(body)
}

// value walks the value at i, of an object or array only its first byte, and returns the index after it. owner is the
// member whose value it is, kept whether an object's members are to be.
func (s *scanner) value(i int, owner int32, kept bool) int {
	if i >= len(s.body) {
		return -1
	}
	switch c := s.body[i]; {
	case c == '"':
		i, _ = s.text(i)
		return i
	case c == '{':
		return s.enter(i, nest{owner, '}', kept})
	case c == '[':
		return s.enter(i, nest{owner, ']', false})
	case c == '-' || isDigit(c):
		return s.number(i)
	case c == 't':
		return s.literal(i, "true")
	case c == 'f':
		return s.literal(i, "false")
	case c == 'n':
		return s.literal(i, "null")
	}
	return -1
}

func (s *scanner) enter(i int, in nest) int {
	if len(s.open) == maxNesting {
		return -1
	}
	s.open, s.begun = append(s.open, in), true
	return i + 1
}

// next walks what comes next in the innermost object or array: the first element, another one, or the end.
func (s *scanner) next(i int) int {
	if i >= len(s.body) {
		return -1
	}
	in, first := s.open[len(s.open)-1], s.begun
	s.begun = false
	switch c := s.body[i]; {
	case c == in.end:
		return s.leave(i, in)
	case c == ',' && !first:
		i = space(s.body, i+1)
	case !first:
		return -1
	}
	if in.end == ']' {
		return s.value(i, -1, false)
	}
	return s.member(i, in.kept)
}

func (s *scanner) leave(i int, in nest) int {
	s.open = s.open[:len(s.open)-1]
	if in.owner >= 0 {
		m := &s.members[in.owner]
		m.valueEnd, m.size = int32(i+1), int32(len(s.members))-in.owner
	}
	return i + 1
}

// member walks the member at i.
func (s *scanner) member(i int, kept bool) int {
	if i >= len(s.body) || s.body[i] != '"' {
		return -1
	}
	end, escaped := s.text(i)
	if end < 0 {
		return -1
	}
	value := space(s.body, end)
	if value >= len(s.body) || s.body[value] != ':' {
		return -1
	}
	value = space(s.body, value+1)
	if !kept {
		return s.value(value, -1, false)
	}
	own := int32(len(s.members))
	s.members = append(s.members, member{name: int32(i + 1), nameEnd: int32(end - 1), value: int32(value), size: 1, escaped: escaped})
	after := s.value(value, own, true)
	s.members[own].valueEnd = int32(after) // of an object or array its end will tell
	return after
}

// text walks a string, and tells whether it has a backslash.
func (s *scanner) text(i int) (end int, escaped bool) {
	for i++; i < len(s.body); i++ {
		switch c := s.body[i]; {
		case c == '"':
			return i + 1, escaped
		case c < ' ':
			return -1, false
		case c == '\\':
			escaped = true
			if i = s.escape(i + 1); i < 0 {
				return -1, false
			}
		}
	}
	return -1, false
}

// escape walks what a backslash escapes, and returns the index of its last byte.
func (s *scanner) escape(i int) int {
	if i >= len(s.body) {
		return -1
	}
	switch s.body[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		if i+4 < len(s.body) && isHex(s.body[i+1]) && isHex(s.body[i+2]) && isHex(s.body[i+3]) && isHex(s.body[i+4]) {
			return i + 4
		}
	}
	return -1
}

func (s *scanner) number(i int) int {
	if s.body[i] == '-' {
		i++
	}
	first := i
	if i = s.digits(i); i < 0 || s.body[first] == '0' && i > first+1 {
		return -1
	}
	if i < len(s.body) && s.body[i] == '.' {
		if i = s.digits(i + 1); i < 0 {
			return -1
		}
	}
	if i < len(s.body) && s.body[i]|0x20 == 'e' {
		if i++; i < len(s.body) && (s.body[i] == '+' || s.body[i] == '-') {
			i++
		}
		return s.digits(i)
	}
	return i
}

// digits walks one digit or more.
func (s *scanner) digits(i int) int {
	first := i
	for i < len(s.body) && isDigit(s.body[i]) {
		i++
	}
	if i == first {
		return -1
	}
	return i
}

func (s *scanner) literal(i int, word string) int {
	if end := i + len(word); end <= len(s.body) && string(s.body[i:end]) == word {
		return end
	}
	return -1
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
