package source

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The functions here take apart JSON that json.Valid has accepted, and only such: they look for where values end, and
// leave the grammar to the standard library. A body is walked once per level of interest, without recursion, and
// nothing is copied: decoding a page of events is most of a rebuild's work.

// usual is how many bytes a member mostly takes, or more.
const usual = 20

// split returns the members of an object, or the elements of an array as members without a name.
func split(value []byte) Object {
	o := make(Object, 0, min(16, 1+len(value)/usual))
	named := value[0] == '{'
	for i := space(value, 1); value[i] != '}' && value[i] != ']'; {
		var m member
		if named {
			end := skip(value, i)
			m.name = value[i+1 : end-1]
			if hasEscape(m.name) {
				m.name = []byte(unquote(value[i:end]))
			}
			i = space(value, space(value, end)+1) // past the colon
		}
		end := skip(value, i)
		m.value = value[i:end]
		o = append(o, m)
		i = space(value, end)
		if value[i] == ',' {
			i = space(value, i+1)
		}
	}
	return o
}

// skip returns the index after the value that starts at i.
func skip(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for i < len(b) && !isDelimiter(b[i]) {
		i++
	}
	return i
}

// skipString looks for the next quote that an even number of backslashes precedes.
func skipString(b []byte, i int) int {
	for end := i; ; {
		end += 1 + bytes.IndexByte(b[end+1:], '"')
		first := end
		for b[first-1] == '\\' {
			first--
		}
		if (end-first)%2 == 0 {
			return end + 1
		}
	}
}

func skipNested(b []byte, i int) int {
	depth := 0
	for {
		switch b[i] {
		case '"':
			i = skipString(b, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			return i
		}
	}
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

func isDelimiter(c byte) bool {
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\n' || c == '\r'
}

func hasEscape(b []byte) bool { return bytes.IndexByte(b, '\\') >= 0 }

// unquote returns the text of a JSON string, and "" for any other value. Half a surrogate pair becomes U+FFFD.
func unquote(value []byte) string {
	if len(value) == 0 || value[0] != '"' {
		return ""
	}
	if inside := value[1 : len(value)-1]; !hasEscape(inside) {
		return string(inside)
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return "" // not reached: the body is valid JSON
	}
	return s
}

// hasLoneSurrogate reports whether a JSON string escapes half of a surrogate pair. Texts that differ in nothing else
// unquote to the same.
func hasLoneSurrogate(value []byte) bool {
	for i := bytes.IndexByte(value, '\\'); i >= 0 && i < len(value); i++ {
		if value[i] != '\\' {
			continue
		}
		first := escaped(value[i:])
		if !utf16.IsSurrogate(first) {
			i++ // past what the backslash escapes
			continue
		}
		if utf16.DecodeRune(first, escaped(value[i+6:])) == utf8.RuneError {
			return true
		}
		i += 11
	}
	return false
}

// escaped returns the code unit that the text begins with as \uXXXX, else 0.
func escaped(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return 0 // not reached: the body is valid JSON
	}
	return rune(n)
}

// isWhole reports whether a JSON value is a number written without fraction and exponent.
func isWhole(value []byte) bool {
	if len(value) > 0 && value[0] == '-' {
		value = value[1:]
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(value) > 0
}
