package main

import "testing"

func TestLegible(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body           string
		text, encoding string
	}{
		"text":                     {"{\n\t\"name\": \"Õie Ülle 🎫\"\n}", "{\n\t\"name\": \"Õie Ülle 🎫\"\n}", ""},
		"nothing":                  {"", "", ""},
		"an escape sequence":       {"\x1b]0;owned\x07", `\x1b]0;owned\a`, ""},
		"one of a single byte":     {"\u009b2J", `\u009b2J`, ""},
		"a carriage return":        {"paid\runpaid", `paid\runpaid`, ""},
		"NUL and delete":           {"\x00\x7f", `\x00\x7f`, ""},
		"another way of writing":   {"\u202egnp.exe", `\u202egnp.exe`, ""},
		"what is no UTF-8":         {"\xff\xfe\x1b", "//4b", " in base64"},
		"a mark of the byte order": {"\ufeff{}", `\ufeff{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, encoding := legible([]byte(c.body))
			if text != c.text || encoding != c.encoding {
				t.Errorf("legible(%q) = %q, %q; want %q, %q", c.body, text, encoding, c.text, c.encoding)
			}
		})
	}
	if got, want := oneLine("a\nb\t\xff\x1b[2J"), `a\nb\t`+"\uFFFD"+`\x1b[2J`; got != want {
		t.Errorf("oneLine = %q, want %q", got, want)
	}
}
