package ticket

import (
	"reflect"
	"testing"
	"time"
)

// Same and repeats name every field, and so must whoever adds one.
func TestSameNoticesEveryField(t *testing.T) {
	t.Parallel()
	eachField(t, State{}, State.Same, "LastPosition", "LastReceivedAt")
	eachField(t, Segment{}, Segment.same)
	eachField(t, Spell{}, Spell.same)
	repeats := func(a, b fact) bool { return a.repeats(&b) }
	eachField(t, fact{}, repeats, "fresh", "freshEntry", "placed")
	if repeats(fact{fresh: true}, fact{}) || repeats(fact{freshEntry: true}, fact{}) {
		t.Error("a fresh fact repeats an old one")
	}
}

// eachField changes one field after the other.
func eachField[T any](t *testing.T, value T, same func(a, b T) bool, but ...string) {
	t.Helper()
	if !same(value, value) {
		t.Errorf("%T is not the same as itself", value)
	}
	ignored := map[string]bool{}
	for _, name := range but {
		ignored[name] = true
	}
	for i := range reflect.TypeFor[T]().NumField() {
		name := reflect.TypeFor[T]().Field(i).Name
		if ignored[name] && !reflect.TypeFor[T]().Field(i).IsExported() {
			continue
		}
		other := value
		set(t, reflect.ValueOf(&other).Elem().Field(i))
		if same(value, other) != ignored[name] || same(other, value) != ignored[name] {
			t.Errorf("another %s of a %T: the same is %t", name, value, same(value, other))
		}
	}
}

func set(t *testing.T, field reflect.Value) {
	t.Helper()
	switch kind := field.Kind(); {
	case kind == reflect.String:
		field.SetString("x")
	case field.CanInt():
		field.SetInt(1)
	case kind == reflect.Bool:
		field.SetBool(true)
	case kind == reflect.Slice:
		field.Set(reflect.MakeSlice(field.Type(), 1, 1))
	case field.Type() == reflect.TypeFor[time.Time]():
		field.Set(reflect.ValueOf(time.Unix(1, 0)))
	default:
		t.Fatalf("no other value for a %s", field.Type())
	}
}

// What changes no fact costs no derivation, and brings about what it would with one.
func TestRepetitionLeavesTheTicketAsItIs(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	called := Observation{
		Says: TransitionCalled, Status: StatusCalled, At: noon, CalledAt: noon, CreatedAt: noon.Add(-time.Minute), Queue: "1",
		Position: 1, ReceivedAt: noon,
	}
	first, _ := Apply(Ticket{}, called)
	called.Position, called.ReceivedAt = 2, noon.Add(time.Minute)
	settled, _ := Apply(first, called) // told again past the call: that is new
	called.Position, called.ReceivedAt = 3, noon.Add(2*time.Minute)
	again, transitions := Apply(settled, called)
	if !again.Same(first.State) || again.LastPosition != 3 || !again.LastReceivedAt.Equal(called.ReceivedAt) {
		t.Errorf("the same call three times: %+v, once: %+v", again.State, first.State)
	}
	if len(transitions) != 1 || transitions[0] != TransitionChanged {
		t.Errorf("transitions %v", transitions)
	}
}
