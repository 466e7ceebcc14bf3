package source

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

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

func hasEscape(b []byte) bool { return bytes.IndexByte(b, '\\') >= 0 }

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
