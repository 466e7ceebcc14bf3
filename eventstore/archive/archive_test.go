package archive_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"queuetrack/eventstore"
	"queuetrack/eventstore/archive"
)

// read goes through an archive to its end.
func read(file []byte) (events []eventstore.Event, after []archive.Seam, err error) {
	r, err := archive.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, nil, err
	}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return events, r.After(), nil
		}
		if err != nil {
			return events, r.After(), err
		}
		events = append(events, e)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	want := everyKind()
	got, _, err := read(written(t, want))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "events", len(got), len(want))
	for i := range want {
		same(t, got[i], want[i])
	}
}

// Each line is JSON to anybody else, too.
func TestLinesAreJSON(t *testing.T) {
	t.Parallel()
	var first map[string]any
	for line := range bytes.Lines(written(t, everyKind())) {
		var got map[string]any
		if err := json.Unmarshal(line, &got); err != nil {
			t.Errorf("%.100s: %v", line, err)
		}
		if got["position"] == 3.0 && first == nil {
			first = got
		}
	}
	equal(t, "ticket", first["ticket"], any("käsi 手 \u2028 <&>"))
	equal(t, "type", first["type"], any("quotes \" and \\ and \n\t\x01\x7f"))
	for line := range bytes.Lines(written(t, nil, archive.Seam{Source: "city", Position: 3})) {
		if !json.Valid(line) {
			t.Errorf("%s is no JSON", line)
		}
	}
}

// spoil changes an archive in one place.
type spoil struct {
	name, old, new string
	says           string
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const digest = "0000000000000000000000000000000000000000000000000000000000000000"
	for _, c := range []spoil{
		{"another format", `"queuetrack-log"`, `"else"`, "line 1: it is no archive of a log"},
		{"a newer version", `"version":1`, `"version":2`, "line 1: a newer queuetrack wrote this file"},
		{"a longer version", `"version":1`, `"version":10`, "line 1: "},
		{"an unknown member of the header", `"version":1}`, `"version":1,"x":1}`, "line 1: "},
		{"an empty list of seams", `"version":1}`, `"version":1,"after":[]}`, "line 1: "},
		{"seams out of order", `"version":1}`, `"version":1,"after":[{"source":"crm","position":1,"digest":"` + digest + `"},{"source":"city","position":1,"digest":"` + digest + `"}]}`, "source city comes after crm"},
		{"a seam's source", `"version":1}`, `"version":1,"after":[{"source":"CRM","position":1,"digest":"` + digest + `"}]}`, "no name of a source"},
		{"a seam's digest", `"version":1}`, `"version":1,"after":[{"source":"crm","position":1,"digest":"00"}]}`, "no SHA-256"},
		{"an unknown member", `,"type":`, `,"x":1,"type":`, `line 2: ,"type": is not where it belongs`},
		{"a doubled member", `,"type":`, `,"position":1,"type":`, "line 2: "},
		{"a null", `"ticket":"1001"`, `"ticket":null`, "line 2: "},
		{"an empty ticket", `"ticket":"1001"`, `"ticket":""`, "line 2: byte "},
		{"another order", `"position":1,"ticket":"1001"`, `"ticket":"1001","position":1`, "line 2: "},
		{"a space", `"position":1`, `"position": 1`, "line 2: "},
		{"a carriage return", "}\n", "}\r\n", "line 1: "},
		{"an empty line", "}\n", "}\n\n", "line 2: "},
		{"an escape that isn't needed", `"ticket_created"`, `"ticket\u005fcreated"`, "line 2: byte "},
		{"an escape that isn't ours", `"ticket_created"`, `"ticket\ncreated"`, "line 2: "},
		{"an escape that is none", `"ticket_created"`, `"ticket\u00zzcreated"`, "line 2: "},
		{"NUL", `"ticket_created"`, `"ticket\u0000created"`, "no text that the log could hold"},
		{"no UTF-8", `"ticket_created"`, "\"ticket\xffcreated\"", "no text that the log could hold"},
		{"a source's name", `{"source":"city","position":1`, `{"source":"City","position":1`, "no name of a source"},
		{"a long source's name", `{"source":"city","position":1`, `{"source":"` + strings.Repeat("c", 41) + `","position":1`, "no name of a source"},
		{"sources out of order", `{"source":"crm","position":1`, `{"source":"a","position":1`, "source a comes after city"},
		{"a hole", `{"source":"city","position":2,`, `{"source":"city","position":3,`, "line 3: position 3 of city comes where 2 belongs"},
		{"a position again", `{"source":"city","position":2,`, `{"source":"city","position":1,`, "position 1 of city comes where 2 belongs"},
		{"not from the beginning", `{"source":"city","position":1,`, `{"source":"city","position":7,`, "position 7 of city comes where 1 belongs"},
		{"position 0", `{"source":"city","position":1,`, `{"source":"city","position":0,`, "no whole number from 1"},
		{"a padded position", `{"source":"city","position":1,`, `{"source":"city","position":01,`, "line 2: byte "},
		{"an endless position", `{"source":"city","position":1,`, `{"source":"city","position":99999999999999999999,`, "no whole number from 1"},
		{"nanoseconds", `12:00:00.123456Z`, `12:00:00.123456001Z`, "line 2: byte "},
		{"a trailing zero", `12:00:00.123456Z`, `12:00:00.1234560Z`, "line 2: byte "},
		{"another zone", `12:00:00.123456Z`, `12:00:00.123456+00:00`, "line 2: byte "},
		{"no time", `2026-11-20T`, `2026-13-20T`, "no time"},
		{"no UUID", `"delivery_id":"`, `"delivery_id":"x`, "no UUID"},
		{"an upper-case digest", `"digest":"`, `"digest":"A`, "no SHA-256"},
		{"another digest", `"digest":"f`, `"digest":"0`, "the body is not the one"},
		{"another body", `"body":"eyJuIjowfQ=="`, `"body":"eyJuIjoxfQ=="`, "line 2: position 1 of city: the body is not the one"},
		{"sloppy base64", `"body":"eyJuIjowfQ=="`, `"body":"eyJuIjowfR=="`, "no base64"},
		{"unpadded base64", `"body":"eyJuIjowfQ=="`, `"body":"eyJuIjowfQ"`, "no base64"},
		{"broken base64", `"body":"eyJuIjowfQ=="`, `"body":"eyJu\u000aIjowfQ=="`, "no base64"},
		{"a repetition of what comes later", `,"digest":`, `,"repeat_of":1,"digest":`, "repeats 1, which comes later"},
		{"a text without end", `"verified_by":"env:SECRET",`, `"verified_by":"env:SECRET`, "line 2: "},
		{"another verifier", `"verified_by":"env:SECRET"`, `"verified_by":"env:SECRES"`, "the manifest tells of other lines"},
		{"another time", `12:00:00.123456Z`, `12:00:00.123457Z`, "the manifest tells of other lines"},
		{"another count", `"count":8}`, `"count":9}`, "the manifest tells of other lines"},
		{"a source too many", `{"sources":[`, `{"sources":[{"source":"a","first":1,"last":1,"count":1,"digest":"` + digest + `"},`, "the manifest tells of other lines"},
		{"two manifests", `{"sources":[`, `{"sources":[],"count":0}` + "\n" + `{"sources":[`, "the manifest tells of other lines"},
		{"something more", `"count":8}` + "\n", `"count":8}` + "\n\n", "something follows the manifest"},
		{"no line end", `"count":8}` + "\n", `"count":8}`, "the file ends before its manifest"},
		{"a long line", `"ticket_created"`, `"` + strings.Repeat("x", archive.MaxLine) + `"`, fmt.Sprintf("line 2: it is longer than %d bytes", archive.MaxLine)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			whole := string(written(t, few()))
			file := strings.Replace(whole, c.old, c.new, 1)
			if file == whole {
				t.Fatalf("there is no %s", c.old)
			}
			_, _, err := read([]byte(file))
			var refused *archive.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("refused with %v, want %q", err, c.says)
			}
		})
	}
}

// Whatever is cut off, at the end of a line or inside of one.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	whole := written(t, few())
	for n := range whole {
		if _, _, err := read(whole[:n]); err == nil {
			t.Fatalf("%d bytes of %d were taken", n, len(whole))
		}
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for i := range lines[:len(lines)-1] {
		without := bytes.Join(append(append([][]byte(nil), lines[:i]...), lines[i+1:]...), nil)
		if _, _, err := read(without); err == nil {
			t.Errorf("taken without line %d", i+1)
		}
	}
}

// Any bit of it.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	whole := written(t, few()[:2])
	for n := range whole {
		for bit := range 8 {
			whole[n] ^= 1 << bit
			if _, _, err := read(whole); err == nil {
				t.Fatalf("taken with bit %d of byte %d flipped", bit, n)
			}
			whole[n] ^= 1 << bit
		}
	}
}

// Pieces of it in other places.
func TestShuffled(t *testing.T) {
	t.Parallel()
	whole := written(t, few())
	dice := rand.New(rand.NewPCG(7, 7))
	for range 1000 {
		spoiled := bytes.Clone(whole)
		from, to, n := dice.IntN(len(whole)), dice.IntN(len(whole)), 1+dice.IntN(300)
		copy(spoiled[to:], whole[from:min(from+n, len(whole))])
		if _, _, err := read(spoiled); err == nil && !bytes.Equal(spoiled, whole) {
			t.Fatalf("taken with %d bytes of %d at %d", n, from, to)
		}
	}
}

func TestReadErrorIsNoRefusal(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	whole := written(t, few())
	for _, n := range []int{0, 5, 100, len(whole)} {
		r, err := archive.NewReader(io.MultiReader(bytes.NewReader(whole[:n]), failing{broken}))
		for err == nil {
			_, err = r.Next()
		}
		var refused *archive.RefusedError
		if !errors.Is(err, broken) || errors.As(err, &refused) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A Writer writes nothing that a Reader would refuse.
func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	good := event("city", 1, "x")
	for name, spoil := range map[string]func(*eventstore.Event){
		"a hole":               func(e *eventstore.Event) { e.Position = 2 },
		"a damaged body":       func(e *eventstore.Event) { e.Body = []byte("y") },
		"a source's name":      func(e *eventstore.Event) { e.Source = "City" },
		"a later repetition":   func(e *eventstore.Event) { e.RepeatOf = 1 },
		"a line too long":      func(e *eventstore.Event) { *e = event("city", 1, strings.Repeat("x", 2<<20)) },
		"the year 10000":       func(e *eventstore.Event) { e.ReceivedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a year before Christ": func(e *eventstore.Event) { e.OccurredAt = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		e := good
		spoil(&e)
		if err := archive.NewWriter(io.Discard, nil).Write(&e); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	full := archive.NewWriter(failingWriter{}, nil)
	_ = full.Write(&good)
	if _, err := full.Close(); err == nil {
		t.Error("nothing was said of the full disk")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

// Whatever comes in: no panic, and what is taken is what would be written.
func FuzzArchive(f *testing.F) {
	whole := written(f, few())
	f.Add(whole)
	f.Add(written(f, nil))
	f.Add(written(f, everyKind()[:3]))
	f.Add(written(f, few()[2:4], archive.Seam{Source: "city", Position: 2, Digest: [32]byte{1}}))
	f.Add(whole[:len(whole)/2])
	f.Add(bytes.ReplaceAll(whole, []byte("ticket"), []byte(`\u0074icket\`)))
	f.Fuzz(func(t *testing.T, file []byte) {
		events, after, err := read(file)
		if err == nil {
			equalBytes(t, written(t, events, after...), file)
		}
	})
}
