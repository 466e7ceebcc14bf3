package source_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore/source"
)

func parse(t *testing.T, body string) source.Object {
	t.Helper()
	o, err := source.Parse([]byte(body))
	if err != nil {
		t.Fatalf("Parse(%s): %v", body, err)
	}
	return o
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                          "not JSON: unexpected end of JSON input",
		"  ":                        "not JSON: unexpected end of JSON input",
		`{"a":1`:                    "not JSON: unexpected end of JSON input",
		`{"a":1} x`:                 "not JSON: invalid character 'x' after top-level value",
		`{"a":1}{"a":2}`:            "not JSON: invalid character '{' after top-level value",
		`{a: 1}`:                    "not JSON: invalid character 'a' looking for beginning of object key string",
		`{"a":1,}`:                  "not JSON: invalid character '}' looking for beginning of object key string",
		"{\"a\":\"\x00\"}":          `not JSON: invalid character '\x00' in string literal`,
		"{\"a\":\"\xff\"}":          "not JSON: not UTF-8",
		"\xff\xfe{\x00}\x00":        "not JSON: not UTF-8",
		strings.Repeat("[", 20_000): "not JSON: invalid character '[' exceeded max depth",
		`[{"a":1}]`:                 "not a JSON object",
		`"a"`:                       "not a JSON object",
		`null`:                      "not a JSON object",
		"\xef\xbb\xbf":              "not JSON: unexpected end of JSON input",
	} {
		_, err := source.Parse([]byte(body))
		if err == nil || err.Error() != want {
			t.Errorf("Parse(%.30q): %v, want %s", body, err, want)
		}
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	o := parse(t, "\xef\xbb\xbf \r\n{ \"text\" : \" Ä\\u00e4\\n\\u0000 \" , \"n\":42,\"neg\":-7,\"f\":1.5,\"e\":1e3,\"t\":true,\"nil\":null,"+
		`"o":{"in":{"deep":"x"},"s":"}]\\\""},"a":["id",3,null,"b"],"empty":{},"none":[],"bl":" ","ns":"17",`+
		`"at":"2020-05-15T00:15Z","dup":{"id":1,"x":1},"dup":{"id":2},"CaSe":"upper","esc\u0061ped":"yes","\u0000":1}`+"\n")

	for name, got := range map[string][2]any{
		"text":                 {o.Text("text"), "Ää"},
		"text of a number":     {o.Text("n"), ""},
		"text of null":         {o.Text("nil"), ""},
		"text of nothing":      {o.Text("absent"), ""},
		"type":                 {o.Type("ns"), "17"},
		"type of a number":     {o.Type("n"), source.UnknownType},
		"type of a blank":      {o.Type("bl"), source.UnknownType},
		"scalar number":        {o.Scalar("n"), "42"},
		"scalar negative":      {o.Scalar("neg"), "-7"},
		"scalar string":        {o.Scalar("ns"), "17"},
		"scalar fraction":      {o.Scalar("f"), ""},
		"scalar exponent":      {o.Scalar("e"), ""},
		"scalar bool":          {o.Scalar("t"), ""},
		"scalar object":        {o.Scalar("o"), ""},
		"has":                  {o.Has("t"), true},
		"has null":             {o.Has("nil"), false},
		"has nothing":          {o.Has("absent"), false},
		"nested":               {o.Object("o").Object("in").Text("deep"), "x"},
		"brackets in a string": {o.Object("o").Text("s"), `}]\"`},
		"object of null":       {o.Object("nil").Object("x").Text("y"), ""},
		"object of an array":   {o.Object("a").Has("id"), false},
		"empty object":         {len(o.Names("empty")), 0},
		"the last one counts":  {o.Object("dup").Scalar("id"), "2"},
		"and counts whole":     {o.Object("dup").Has("x"), false},
		"names are exact":      {o.Text("case"), ""},
		"escaped name":         {o.Text("escaped"), "yes"},
		"time":                 {o.Time("at", nil).Format(time.RFC3339), "2020-05-15T00:15:00Z"},
		"time of a number":     {o.Time("n", time.UTC).IsZero(), true},
		"verbatim":             {o.Verbatim("e"), "1e3"},
		"verbatim of true":     {o.Verbatim("t"), ""},
	} {
		if diff := cmp.Diff(got[1], got[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"id", "b"}, o.Names("a")); diff != "" {
		t.Errorf("names in an array (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"in", "s"}, o.Names("o")); diff != "" {
		t.Errorf("names in an object (-want +got):\n%s", diff)
	}
	if got := append(o.Names("none"), append(o.Names("text"), o.Names("absent")...)...); got != nil {
		t.Errorf("names where there are none: %q", got)
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ json, want string }{
		{`"123"`, "123"},
		{`123`, "123"},
		{`"4f288ab1-72c9"`, "4f288ab1-72c9"},
		{`123456789012345678901234567890`, "123456789012345678901234567890"}, // no float on the way
		{`"` + strings.Repeat("9", 200) + `"`, strings.Repeat("9", 200)},
		{`"` + strings.Repeat("9", 201) + `"`, ""},
		{strings.Repeat("9", 201), ""},
		{`-1`, ""},
		{`-0`, ""},
		{`1.0`, ""},
		{`1e3`, ""},
		{`""`, ""},
		{`" "`, ""},
		{`"a\u0000b"`, ""},
		{`"a\nb"`, ""},
		{`"a\ud800"`, ""}, // two such ids would be one
		{`"a\uDFFFb"`, ""},
		{`"\ud83d\ud83d\ude00"`, ""},
		{`"\ud83dx\ude00"`, ""},
		{`"\ud83d\\ude00"`, ""},
		{`"\ud83d\ude00"`, "\U0001F600"},
		{`"\ufffd"`, "\ufffd"},
		{"\"\ufffd\"", "\ufffd"},
		{`"\\ud800"`, `\ud800`},
		{`"\\\ud83d\uDE00\/"`, "\\\U0001F600/"},
		{`null`, ""},
		{`true`, ""},
		{`{"id":1}`, ""},
		{`[1]`, ""},
	} {
		got, err := parse(t, `{"id":`+tt.json+`}`).ID("id")
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("ID(%.40s) = %q, %v; want %q", tt.json, got, err, tt.want)
		}
	}
	if _, err := (source.Object{}).ID("id"); err == nil {
		t.Error("an absent id is accepted")
	}
}

func TestTextIsCutAtARune(t *testing.T) {
	t.Parallel()
	for _, long := range []string{strings.Repeat("ä", 150), "x" + strings.Repeat("ä", 150), strings.Repeat("\u20ac", 99), strings.Repeat(`\ud83d\ude00`, 99)} {
		o := parse(t, `{"a":"`+long+`"}`)
		if got := o.Text("a"); len(got) > source.MaxText || len(got) < source.MaxText-3 || !utf8.ValidString(got) {
			t.Errorf("Text of %d bytes: %d bytes, valid %v", len(long), len(got), utf8.ValidString(got))
		}
		if got := o.Type("a"); len(got) > source.MaxType || len(got) < source.MaxType-3 || !utf8.ValidString(got) {
			t.Errorf("Type of %d bytes: %d bytes, valid %v", len(long), len(got), utf8.ValidString(got))
		}
	}
	if got := parse(t, `{"a":"x\ud800y\u001b[2J"}`).Text("a"); got != "x\ufffdy[2J" {
		t.Errorf("half a surrogate pair and an escape character: %q", got)
	}
}

// FuzzParse compares with encoding/json, whose maps also keep the last member of a name, and which takes the same texts.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"type":"ticket_created","data":{"id":"1","line":2}}`, `{"a":{"b":[1,"x}",{"c":"\\\""}]},"a":null}`,
		` { "\u0061" : -1.5e+3 , "b":true } `, `{"a":1}{`, `[]`, `{"":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := source.Parse(body)
		if text := trimMark(body); err != nil {
			if json.Valid(text) && utf8.Valid(text) && bytes.TrimLeft(text, " \t\r\n")[0] == '{' {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(trimMark(body), &want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", body, err)
		}
		for name, value := range want {
			checkMember(t, o, name, value)
		}
	})
}

func trimMark(body []byte) []byte { return []byte(strings.TrimPrefix(string(body), "\xef\xbb\xbf")) }

func checkMember(t *testing.T, o source.Object, name string, value json.RawMessage) {
	t.Helper()
	if got, want := o.Has(name), string(value) != "null"; got != want {
		t.Errorf("Has(%q) = %v", name, got)
	}
	var s string
	if value[0] == '"' && json.Unmarshal(value, &s) == nil && o.Verbatim(name) != s {
		t.Errorf("Verbatim(%q) = %q, want %q", name, o.Verbatim(name), s)
	}
	var inner map[string]json.RawMessage
	if value[0] == '{' && json.Unmarshal(value, &inner) == nil {
		for n, v := range inner {
			checkMember(t, o.Object(name), n, v)
		}
	}
	for _, text := range []string{o.Text(name), o.Type(name), o.Scalar(name)} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || len(text) > source.MaxText {
			t.Errorf("unfit text %q", text)
		}
	}
	o.Names(name)
}
