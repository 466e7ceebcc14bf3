package ticket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// coder writes values to bytes, or reads them back: the same calls in the same order do either, so what is written and
// what is read can't part. It keeps the first error, and from then on does nothing.
//
// The form is canonical: a value has one encoding, and reading refuses every other. Numbers are varints (zigzag when they
// may be negative). A text is its length and bytes, or the number of an earlier text that was the same; one of our own
// words is its number in the list. A time is its distance to the time before it, in seconds, and what is left of a second
// in the coarsest unit that holds it: a visit's times take two to four bytes each.
type coder struct {
	reading bool
	out     []byte // writing: so far
	in      string // reading: what is left
	err     error

	texts [knownTexts]string // the first ones
	known int
	sec   int64 // of the time before
	nsec  int
}

// knownTexts bounds the texts that can be referred to: a ticket has a queue or two, a desk, an agent.
const knownTexts = 16

// What reading refuses. Writing refuses a year that no column and no reader's JSON can hold.
var (
	errShort   = errors.New("it ends too soon")
	errForm    = errors.New("not in the form that it is written in")
	errVersion = errors.New("written by another version")
	errYear    = errors.New("year outside of 1 to 9999")
)

func (c *coder) fail(err error) {
	if c.err == nil {
		c.err, c.in = err, ""
	}
}

// version is the first byte.
func (c *coder) version(v uint64) {
	read := v
	c.uint(&read)
	if c.err == nil && read != v {
		c.fail(fmt.Errorf("%w: %d, not %d", errVersion, read, v))
	}
}

// end refuses what follows the last value.
func (c *coder) end() {
	if c.in != "" {
		c.fail(fmt.Errorf("%w: %d bytes too many", errForm, len(c.in)))
	}
}

func (c *coder) uint(p *uint64) {
	if !c.reading {
		c.out = binary.AppendUvarint(c.out, *p)
		return
	}
	*p = 0
	for i := 0; i < len(c.in) && i < binary.MaxVarintLen64; i++ {
		b := c.in[i]
		*p |= uint64(b&0x7f) << (7 * i)
		if b >= 0x80 {
			continue
		}
		if b == 0 && i > 0 || i == binary.MaxVarintLen64-1 && b > 1 {
			c.fail(errForm)
			return
		}
		c.in = c.in[i+1:]
		return
	}
	if len(c.in) >= binary.MaxVarintLen64 {
		c.fail(errForm)
	}
	c.fail(errShort)
}

func (c *coder) int(p *int64) {
	v := uint64(*p<<1) ^ uint64(*p>>63)
	c.uint(&v)
	if c.reading { // what is written is only looked at: tickets are values
		*p = int64(v>>1) ^ -int64(v&1)
	}
}

// bits are up to 64 of them.
func (c *coder) bits(all ...*bool) {
	var v uint64
	for i, b := range all {
		if *b {
			v |= 1 << i
		}
	}
	c.uint(&v)
	if !c.reading {
		return
	}
	for i, b := range all {
		*b = v&(1<<i) != 0
	}
	if v>>len(all) != 0 {
		c.fail(errForm)
	}
}

// length is that of a list whose elements take at least so many bytes each, so that nothing is made for what isn't there.
func (c *coder) length(n, least int) int {
	v := uint64(n)
	c.uint(&v)
	if c.reading && v > uint64(len(c.in)/least) {
		c.fail(errShort)
	}
	if c.err != nil {
		return 0
	}
	return int(v)
}

// room makes the list as long as it was; nil, if it was empty.
func room[T any](c *coder, p *[]T, least int) {
	if n := c.length(len(*p), least); c.reading {
		*p = nil
		if n > 0 {
			*p = make([]T, n)
		}
	}
}

// text is free text. 0 is the empty one, an odd number one of the texts before, an even one the length of what follows.
func (c *coder) text(p *string) {
	if c.reading {
		*p = c.readText()
		return
	}
	if *p == "" {
		c.out = append(c.out, 0)
		return
	}
	if i := c.knows(*p); i >= 0 {
		c.out = append(c.out, byte(2*i+1))
		return
	}
	c.out = binary.AppendUvarint(c.out, 2*uint64(len(*p)))
	c.out = append(c.out, *p...)
	c.learn(*p)
}

func (c *coder) readText() string {
	var v uint64
	c.uint(&v)
	n := v / 2
	switch {
	case v == 0:
		return ""
	case v%2 == 1 && n < uint64(c.known):
		return c.texts[n]
	case v%2 == 1:
		c.fail(errForm)
		return ""
	case n > uint64(len(c.in)):
		c.fail(errShort)
		return ""
	}
	text := c.in[:n]
	c.in = c.in[n:]
	if c.knows(text) >= 0 {
		c.fail(errForm)
		return ""
	}
	c.learn(text)
	return text
}

// knows returns which of the earlier texts this one is; -1: none.
func (c *coder) knows(text string) int {
	for i := range c.known {
		if c.texts[i] == text {
			return i
		}
	}
	return -1
}

func (c *coder) learn(text string) {
	if c.known < knownTexts {
		c.texts[c.known] = text
		c.known++
	}
}

// word is one of the language's own words: its number in the list, from 1. 0 is the empty one; a number past the list
// announces one that isn't in it.
func word[T ~string](c *coder, p *T) {
	if c.reading {
		*p = T(c.readWord())
		return
	}
	v := numberOf(string(*p))
	c.uint(&v)
	if v == unlisted {
		text := string(*p)
		c.text(&text)
	}
}

func (c *coder) readWord() string {
	var v uint64
	if c.uint(&v); v < unlisted {
		return wordOf(v)
	}
	text := c.readText()
	if v > unlisted || numberOf(text) != unlisted {
		c.fail(errForm)
		return ""
	}
	return text
}

func flags(c *coder, p *[]Flag) {
	room(c, p, 1)
	for i := range *p {
		word(c, &(*p)[i])
	}
}

// The parts of a time's last three bits: what follows it. All zero: no time.
const (
	wholeSecond = iota + 1
	sameFraction
	milliseconds
	microseconds
	nanoseconds
)

// The seconds of the years 1 to 9999.
const (
	firstSecond = -62135596800
	lastSecond  = 253402300799
)

func (c *coder) time(p *time.Time) {
	if c.reading {
		*p = c.readTime()
		return
	}
	if p.IsZero() {
		c.out = append(c.out, 0)
		return
	}
	sec, nsec := p.Unix(), p.Nanosecond()
	if sec < firstSecond || sec > lastSecond {
		c.fail(errYear)
		return
	}
	rest, fraction := c.rest(nsec), uint64(0)
	switch rest {
	case milliseconds:
		fraction = uint64(nsec / 1e6)
	case microseconds:
		fraction = uint64(nsec / 1e3)
	case nanoseconds:
		fraction = uint64(nsec)
	}
	d := sec - c.sec
	c.out = binary.AppendUvarint(c.out, (uint64(d<<1)^uint64(d>>63))<<3|rest)
	if rest >= milliseconds {
		c.out = binary.AppendUvarint(c.out, fraction)
	}
	c.sec, c.nsec = sec, nsec
}

// rest is the form for a fraction of a second.
func (c *coder) rest(nsec int) uint64 {
	switch {
	case nsec == 0:
		return wholeSecond
	case nsec == c.nsec:
		return sameFraction
	case nsec%1e6 == 0:
		return milliseconds
	case nsec%1e3 == 0:
		return microseconds
	}
	return nanoseconds
}

func (c *coder) readTime() time.Time {
	var v uint64
	if c.uint(&v); v == 0 {
		return time.Time{}
	}
	rest, z := v&7, v>>3
	sec, nsec := c.sec+(int64(z>>1)^-int64(z&1)), c.fraction(rest)
	t := time.Unix(sec, int64(nsec)).UTC()
	if sec < firstSecond || sec > lastSecond || rest != c.rest(nsec) || t.IsZero() {
		c.fail(errForm)
		return time.Time{}
	}
	c.sec, c.nsec = sec, nsec
	return t
}

// fraction reads the nanoseconds of a time in one of the forms.
func (c *coder) fraction(rest uint64) int {
	unit := uint64(1)
	switch rest {
	case wholeSecond:
		return 0
	case sameFraction:
		return c.nsec
	case milliseconds:
		unit = 1e6
	case microseconds:
		unit = 1e3
	}
	var v uint64
	if c.uint(&v); v >= 1e9/unit {
		c.fail(errForm)
		return 0
	}
	return int(v * unit)
}

// read begins to read: one copy of the bytes, which all texts are then parts of.
func read(b []byte) coder { return coder{reading: true, in: string(b)} }
