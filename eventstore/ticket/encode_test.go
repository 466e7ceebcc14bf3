package ticket

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// fill gives each field, of each element of each list too, a value of its own; unexported ones only where told.
func fill(v reflect.Value, n *int) {
	*n++
	switch kind := v.Kind(); {
	case kind == reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case v.CanInt():
		v.SetInt(int64(*n))
	case kind == reflect.Bool:
		v.SetBool(true)
	case kind == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case kind == reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(1e9+*n), int64(*n)).UTC()))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	default:
		panic("a field of a kind that is not stored: " + kind.String())
	}
}

// A field that is added and not stored would be lost on the way through the tables.
func TestEveryFieldOfAStateIsStored(t *testing.T) {
	t.Parallel()
	var want, got State
	n := 0
	fill(reflect.ValueOf(&want).Elem(), &n)
	b, err := want.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("stored and read (-want +got):\n%s", diff)
	}
}

func TestEveryFieldOfAFactIsStored(t *testing.T) {
	t.Parallel()
	want := Ticket{facts: make([]fact, 2), State: State{LastPosition: 7, LastReceivedAt: opening}}
	n := 0
	fill(reflect.ValueOf(&want.facts).Elem(), &n)
	b, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var got Ticket
	if err := got.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want.facts, got.facts, gocmp.AllowUnexported(fact{})); diff != "" {
		t.Errorf("stored and read (-want +got):\n%s", diff)
	}
	if got.LastPosition != 7 || !got.LastReceivedAt.Equal(opening) {
		t.Errorf("last event %d at %v", got.LastPosition, got.LastReceivedAt)
	}
}

// The bound on what a list may claim to hold.
func TestLeastSizes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code  func(c *coder)
		least int
	}{
		"fact":    {new(fact).code, leastFact},
		"segment": {new(Segment).code, leastSegment},
		"spell":   {new(Spell).code, leastSpell},
	} {
		var c coder
		if test.code(&c); len(c.out) != test.least {
			t.Errorf("the zero %s takes %d bytes, not %d", name, len(c.out), test.least)
		}
	}
}

func TestTheLanguageIsStoredByNumber(t *testing.T) {
	t.Parallel()
	var all []string
	add := func(w string) { all = append(all, w) }
	for _, s := range Statuses {
		add(string(s))
	}
	for _, o := range Outcomes {
		add(string(o))
	}
	for tr := range legal {
		add(string(tr))
	}
	for _, f := range []Flag{
		FlagCreationImplied, FlagCallImplied, FlagEntryImplied, FlagTimeAssumed, FlagClockAhead, FlagNegativeWait,
		FlagNegativeService, FlagReturnAssumed, FlagReopenAssumed, FlagSelfRegistered, FlagMaybeClosed, FlagUnattended, FlagTooManyFacts,
	} {
		add(string(f))
	}
	for _, w := range append(all, string(ActorCustomer), string(ActorStaff), string(TransitionChanged), string(TransitionFeedback)) {
		if n := numberOf(w); n == unlisted || wordOf(n) != w {
			t.Errorf("%q has no number", w)
		}
	}
	if sorted := slices.Sorted(slices.Values(words[:])); len(slices.Compact(sorted)) != len(words) {
		t.Error("a word has two numbers")
	}
}

func TestTimesSurvive(t *testing.T) {
	t.Parallel()
	instants := rapid.Custom(func(t *rapid.T) time.Time {
		unit := rapid.SampledFrom([]int64{1, 1e3, 1e6, 1e9}).Draw(t, "unit")
		return time.Unix(rapid.Int64Range(firstSecond+1, lastSecond).Draw(t, "s"), rapid.Int64Range(0, 1e9/unit-1).Draw(t, "fraction")*unit).UTC()
	})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.OneOf(instants, rapid.Just(time.Time{}), rapid.Just(opening))).Draw(t, "times")
		w := coder{}
		times(&w, &want)
		r, got := read(w.out), []time.Time(nil)
		times(&r, &got)
		if r.end(); r.err != nil || w.err != nil || !slices.EqualFunc(want, got, time.Time.Equal) {
			t.Fatalf("%v is read as %v (%v, %v)", want, got, w.err, r.err)
		}
	})
}

func TestYearsThatNoColumnHoldsAreRefused(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC)} {
		if _, err := (State{CreatedAt: at}).AppendBinary(nil); !errors.Is(err, errYear) {
			t.Errorf("%v: %v", at, err)
		}
	}
}

func TestStoredBytesThatAreNotOursAreRefused(t *testing.T) {
	t.Parallel()
	whole, err := State{Status: StatusWaiting, Queue: "1", CreatedAt: opening, Spells: []Spell{{StatusWaiting, "1", opening, time.Time{}}}}.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := new(State).UnmarshalBinary(whole[:n]); !errors.Is(err, errShort) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	zero := func(n int) []byte { return make([]byte, n) }
	for name, test := range map[string]struct {
		b    []byte
		want error
	}{
		"trailing byte":        {append(slices.Clone(whole), 0), errForm},
		"JSON":                 {[]byte(`{"status":"waiting"}`), errVersion},
		"next version":         {append([]byte{stateVersion + 1}, whole[1:]...), errVersion},
		"a number's long form": {append([]byte{stateVersion, 0x82, 0}, zero(21)...), errForm},
		"a number too large":   {append([]byte{stateVersion}, bytes.Repeat([]byte{0xff}, 20)...), errForm},
		"a word spelt out":     {append([]byte{stateVersion, byte(unlisted), 14, 'w', 'a', 'i', 't', 'i', 'n', 'g'}, zero(21)...), errForm},
		"no such word":         {append([]byte{stateVersion, byte(unlisted + 1), 2, 'x'}, zero(21)...), errForm},
		"a text spelt twice":   {append([]byte{stateVersion, 0, 2, 'x', 2, 'x'}, zero(19)...), errForm},
		"no such text":         {append([]byte{stateVersion, 0, 1}, zero(20)...), errForm},
		"a list of 2⁴⁰":        {append([]byte{stateVersion, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20}, zero(90)...), errShort},
	} {
		if err := new(State).UnmarshalBinary(test.b); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzUnmarshalTicket(f *testing.F) {
	whole, err := Ticket{facts: []fact{{At: opening, Status: StatusWaiting, Birth: true, Queue: "1"}}}.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, b []byte) {
		var c Ticket
		r := read(b)
		c.code(&r)
		if r.end(); r.err != nil {
			return
		}
		if again, err := c.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is read, and written as %x (%v)", b, again, err)
		}
	})
}
