package projection

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// configured are runners that have been dealt nothing yet.
func configured(sources ...[]string) []*hand {
	var hands []*hand
	for i, s := range sources {
		hands = append(hands, &hand{Owner: fmt.Sprintf("r%d", i), Sources: s, Alive: true})
	}
	return hands
}

func shardsOfAll(hands []*hand) [][]string {
	var all [][]string
	for _, h := range hands {
		all = append(all, slices.Clone(h.Shards))
	}
	return all
}

func TestDeal(t *testing.T) {
	t.Parallel()
	six := []string{"a", "b", "c", "d", "e", "f"}
	for name, test := range map[string]struct {
		hands []*hand
		dealt [][]string // before; nil: nothing
		want  [][]string
	}{
		"alone":               {configured(six), nil, [][]string{six}},
		"three begin":         {configured(six, six, six), nil, [][]string{{"a", "d"}, {"b", "e"}, {"c", "f"}}},
		"four of six":         {configured(six, six, six, six), nil, [][]string{{"a", "e"}, {"b", "f"}, {"c"}, {"d"}}},
		"one joins":           {configured(six, six), [][]string{six, nil}, [][]string{{"a", "b", "c"}, {"d", "e", "f"}}},
		"a third joins":       {configured(six, six, six), [][]string{{"a", "b", "c"}, {"d", "e", "f"}, nil}, [][]string{{"a", "b"}, {"d", "e"}, {"c", "f"}}},
		"one of three leaves": {configured(six, six), [][]string{{"a", "b"}, {"d", "e"}}, [][]string{{"a", "b", "c"}, {"d", "e", "f"}}},
		"five and two":        {configured(six[:5], six[:5]), [][]string{{"a", "b", "c"}, {"d", "e"}}, [][]string{{"a", "b", "c"}, {"d", "e"}}},
		"nobody can help":     {configured(six[:4], six[4:5]), nil, [][]string{{"a", "b", "c", "d"}, {"e"}}},
		"by way of another": {
			configured([]string{"a", "b", "c", "d"}, []string{"c", "d", "e"}, []string{"e"}),
			[][]string{{"a", "b", "c"}, {"d", "e"}, nil},
			[][]string{{"a", "b"}, {"c", "d"}, {"e"}},
		},
		"twice the same": {configured(six[:2], six[:2]), [][]string{{"a", "b"}, {"b"}}, [][]string{{"a"}, {"b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, shards := range test.dealt {
				test.hands[i].Shards = slices.Clone(shards)
			}
			deal(test.hands, "")
			if diff := cmp.Diff(test.want, shardsOfAll(test.hands)); diff != "" {
				t.Errorf("shares (-want +got):\n%s", diff)
			}
		})
	}
}

// drawHands are up to four runners, each with a part of six sources, and whatever was dealt before.
func drawHands(rt *rapid.T) []*hand {
	some := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}), 0, 6, rapid.ID[string])
	var hands []*hand
	for i := range rapid.IntRange(1, 4).Draw(rt, "runners") {
		h := &hand{Owner: fmt.Sprintf("r%d", i), Alive: true, Sources: some.Draw(rt, "sources"), Shards: some.Draw(rt, "shards")}
		h.Code = rapid.SampledFrom([]string{"old", "new"}).Draw(rt, "code")
		slices.Sort(h.Sources)
		slices.Sort(h.Shards)
		hands = append(hands, h)
	}
	return hands
}

// Whatever went before: each source has one of those who are configured with it, and of these one whose code is the serving
// generation's if there is one; the shares are as even as any could be, and nothing moves when all is dealt.
func TestDealIsCompleteEvenAndSteady(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		hands := drawHands(rt)
		code := rapid.SampledFrom([]string{"old", "new", "another"}).Draw(rt, "serving")
		deal(hands, code)
		var all []string
		for _, h := range hands {
			for _, s := range h.Shards {
				if !slices.Contains(h.Sources, s) {
					rt.Fatalf("%s was dealt %s, and has %v", h.Owner, s, h.Sources)
				}
				better := func(o *hand) bool { return o.Code == code && slices.Contains(o.Sources, s) }
				if h.Code != code && slices.ContainsFunc(hands, better) {
					rt.Fatalf("%s of version %s was dealt %s, though somebody has version %s, which serves", h.Owner, h.Code, s, code)
				}
			}
			all = append(all, h.Shards...)
		}
		slices.Sort(all)
		if !slices.Equal(all, sourcesOf(hands)) {
			rt.Fatalf("dealt %v of %v", all, sourcesOf(hands))
		}
		if got, want := squares(hands), evenest(hands, sourcesOf(hands), make([]int, len(hands))); got != want {
			rt.Fatalf("%v: unevenness %d, could be %d", shardsOfAll(hands), got, want)
		}
		if overdue(hands, code) {
			rt.Fatalf("%v would be dealt again", shardsOfAll(hands))
		}
	})
}

// Among equals nobody moves but to a newcomer, and from one who has gone.
func TestDealMovesNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		sources := []string{"a", "b", "c", "d", "e", "f", "g"}[:rapid.IntRange(0, 7).Draw(rt, "sources")]
		hands := configured(sources)
		deal(hands, "")
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			before := map[string]string{}
			for _, h := range hands {
				for _, s := range h.Shards {
					before[s] = h.Owner
				}
			}
			newcomer := ""
			if len(hands) > 1 && rapid.Bool().Draw(rt, "leaves") {
				i := rapid.IntRange(0, len(hands)-1).Draw(rt, "who")
				for _, s := range hands[i].Shards {
					delete(before, s)
				}
				hands = slices.Delete(hands, i, i+1)
			} else {
				newcomer = fmt.Sprintf("n%d", rapid.Int().Draw(rt, "name"))
				hands = slices.Insert(hands, rapid.IntRange(0, len(hands)).Draw(rt, "at"), &hand{Owner: newcomer, Sources: sources, Alive: true})
			}
			deal(hands, "")
			for _, h := range hands {
				for _, s := range h.Shards {
					if was, ok := before[s]; ok && was != h.Owner && h.Owner != newcomer {
						rt.Fatalf("%s moved from %s to %s", s, was, h.Owner)
					}
				}
			}
		}
	})
}

// squares is the less, the more even the shares are.
func squares(hands []*hand) int {
	sum := 0
	for _, h := range hands {
		sum += len(h.Shards) * len(h.Shards)
	}
	return sum
}

// evenest tries all deals.
func evenest(hands []*hand, sources []string, load []int) int {
	if len(sources) == 0 {
		sum := 0
		for _, n := range load {
			sum += n * n
		}
		return sum
	}
	least := 1 << 30
	for i, h := range hands {
		if slices.Contains(h.may, sources[0]) {
			load[i]++
			least = min(least, evenest(hands, sources[1:], load))
			load[i]--
		}
	}
	return least
}
