package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
)

// diagnosis says whether the configuration verifies one captured delivery, and if not, what is in the way. It asks the
// vendor's own adapter, the one that serve uses; nothing that it finds out is ever used to accept a delivery. It prints
// no secret, no signature, and no header's value.
type diagnosis struct {
	source sourceConfig
	from   captured
	header string // that the vendor proves itself with
	sample string // what it may hold
	out    io.Writer
}

// checkSignature is `config check --signature`. A capture that can't be read is wrong usage: 1 means that the answer is no.
func (a *app) checkSignature(ctx context.Context, file, name string) error {
	from, err := a.readCaptured(file)
	if err != nil {
		return usageError{fmt.Errorf("read the captured delivery %s: %w", file, err)}
	}
	c, err := a.loadConfig()
	if err != nil {
		return err
	}
	name = first(name, from.sourceName())
	if name == "" {
		return usageError{errors.New("the captured path does not end in /webhooks/NAME; name the source with --source")}
	}
	s, err := c.source(name)
	if err != nil {
		return err
	}
	return s.diagnose(ctx, from, a.stdout)
}

func (a *app) readCaptured(file string) (captured, error) {
	in := a.stdin
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return captured{}, errors.Unwrap(err) // the caller names the file
		}
		defer opened.Close() //nolint:errcheck // it was only read
		in = opened
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxCaptured+1))
	if err != nil {
		return captured{}, err
	}
	if len(raw) > maxCaptured {
		return captured{}, fmt.Errorf("it is larger than %d bytes, which no delivery is", maxCaptured)
	}
	return parseCaptured(raw)
}

func (s sourceConfig) diagnose(ctx context.Context, from captured, out io.Writer) error {
	opened, err := s.open()
	if err != nil {
		return err
	}
	d := diagnosis{source: s, from: from, out: out}
	for name, values := range opened.Sign(nil) { // the vendor knows its header; there is one
		d.header, d.sample = name, values[0]
	}
	fmt.Fprintf(out, "source %s (%s): %s, %s of body\n", s.Name, s.Kind, from.method, counted(len(from.body), "byte"))
	d.facts()
	if key, err := opened.Verify(from.header, from.body); err == nil {
		fmt.Fprintf(out, "yes: the configuration verifies it, by secret %s\n", key)
		return nil
	}
	fmt.Fprintln(out, "no: the configuration does not verify it")
	values := from.header.Values(d.header)
	switch {
	case len(values) == 0:
		d.missing()
	case len(values) > 1:
		d.say("%s is there %d times; exactly one is accepted", d.header, len(values))
	case values[0] == "":
		d.say("%s is empty", d.header)
	case s.Kind == kindOmbori:
		d.static(values[0])
	default:
		if err := d.signature(ctx, values[0]); err != nil {
			return err
		}
	}
	return errNo
}

// say prints one finding.
func (d diagnosis) say(format string, args ...any) {
	fmt.Fprintf(d.out, "  - "+format+"\n", args...)
}

// advise prints the line that makes the configuration right.
func (d diagnosis) advise(key, value string) error {
	fmt.Fprintf(d.out, "Put into the configuration of %s:\n\n", d.source.Name)
	l := line{"    ", key, value, ""}
	return l.print(d.out)
}

// facts are what is odd about the capture itself, whatever the signature: what serve would refuse, or what was lost.
func (d diagnosis) facts() {
	h := d.from.header
	if d.from.method != http.MethodPost {
		d.say("a webhook is a POST; serve refuses this one before it looks at the signature")
	}
	if h.Get("Content-Encoding") != "" {
		d.say("it has a Content-Encoding, so the body is not the one that was signed; serve refuses it")
	}
	if d.from.chunks {
		d.say("the body was captured in chunks; they were put together")
	} else if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil && n != len(d.from.body) {
		d.say("Content-Length is %d, the capture holds %d: it is not byte for byte what was sent", n, len(d.from.body))
	}
}

// missing says which headers came instead, and whether one of them has what was looked for under another name.
func (d diagnosis) missing() {
	d.say("the header %s is missing; the captured ones: %s", d.header, strings.Join(slices.Sorted(maps.Keys(d.from.header)), ", "))
	if d.source.Kind == kindOmbori {
		d.otherHeader()
		return
	}
	d.say("%s", d.source.Kind.unsigned())
}
