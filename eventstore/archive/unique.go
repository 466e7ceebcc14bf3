package archive

import (
	"fmt"
	"hash/maphash"
	"slices"

	"queuetrack/eventstore"
)

// claim is what only one event of a log may say: its key, or whose repetition it is.
type claim struct {
	source, key string
	repeatOf    int64
}

func claimOf(e *eventstore.Event) (claim, bool) {
	if e.RepeatOf > 0 {
		return claim{source: e.Source, repeatOf: e.RepeatOf}, true
	}
	return claim{source: e.Source, key: e.EventKey}, e.EventKey != ""
}

// unique finds claims that were made twice, with eight bytes each in memory: first those whose hashes are equal, then,
// going through the same events once more, those that really are.
type unique struct {
	seed   maphash.Seed
	hashes []uint64
	first  map[claim]int64 // the second time: the claims in question, and where each was made first
}

func (u *unique) add(e *eventstore.Event) {
	if c, ok := claimOf(e); ok {
		u.hashes = append(u.hashes, maphash.Comparable(u.seed, c))
	}
}

// suspects keeps the hashes that came more than once, and says whether there are any.
func (u *unique) suspects() bool {
	slices.Sort(u.hashes)
	var twice []uint64
	for i, h := range u.hashes {
		if i > 0 && h == u.hashes[i-1] && (len(twice) == 0 || twice[len(twice)-1] != h) {
			twice = append(twice, h)
		}
	}
	u.hashes, u.first = twice, map[claim]int64{}
	return len(twice) > 0
}

// again is told of each event once more, and refuses the one that claims what another one did.
func (u *unique) again(e *eventstore.Event) error {
	c, ok := claimOf(e)
	if !ok {
		return nil
	}
	if _, suspect := slices.BinarySearch(u.hashes, maphash.Comparable(u.seed, c)); !suspect {
		return nil
	}
	if first, taken := u.first[c]; taken {
		return fmt.Errorf("positions %d and %d of %s have one key, or repeat one event: only one of them can", first, e.Position, e.Source)
	}
	u.first[c] = e.Position
	return nil
}
