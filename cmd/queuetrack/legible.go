package main

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// legible is what a sender wrote, for a terminal: as text, line ends and tabs included, or in base64 when it is no text,
// which the second value then says.
func legible(body []byte) (text, encoding string) {
	if !utf8.Valid(body) {
		return base64.StdEncoding.EncodeToString(body), " in base64"
	}
	return harmless(string(body), "\n\t"), ""
}

// oneLine is what a sender wrote, for a line or a table's cell.
func oneLine(s string) string { return harmless(strings.ToValidUTF8(s, "\uFFFD"), "") }

// harmless writes out what a terminal obeys instead of showing it: control characters, escape sequences among them, and
// what turns the direction of writing.
func harmless(s, allowed string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsGraphic(r) || strings.ContainsRune(allowed, r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
