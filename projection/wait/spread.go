package wait

import "slices"

// spread is a set of whole seconds, none of them negative.
type spread struct {
	list   []int64  // values, in any order
	counts []uint32 // once there are many: how many there are of each value below dense, which are not in the list
}

// Many values are counted by value: that is quicker than to sort them. Those that begin to be take as much memory as
// the table does that they are counted in, so it never takes much more than they would.
const (
	dense = 1 << 14 // four and a half hours
	many  = dense / 2
)

func (s *spread) add(seconds int64) {
	if s.counts != nil && seconds < dense {
		s.counts[seconds]++
		return
	}
	s.list = append(s.list, seconds)
	if s.counts == nil && len(s.list) == many {
		s.count()
	}
}

// count moves the list into the table, but for large values.
func (s *spread) count() {
	s.counts = make([]uint32, dense)
	s.list = slices.DeleteFunc(s.list, func(seconds int64) bool {
		if seconds >= dense {
			return false
		}
		s.counts[seconds]++
		return true
	})
}

func (s *spread) stats(percentiles []int) Stats {
	var n, sum, most int64
	for seconds, times := range s.counts {
		if times > 0 {
			n, sum, most = n+int64(times), sum+int64(times)*int64(seconds), int64(seconds)
		}
	}
	for _, seconds := range s.list {
		n, sum, most = n+1, sum+seconds, max(most, seconds)
	}
	if n == 0 {
		return Stats{}
	}
	return Stats{N: n, Mean: float64(sum) / float64(n), Max: most, Percentiles: s.ranked(n, percentiles)}
}

// ranked returns the percentiles, which ascend, by nearest rank: the least value that at least so many percent of the n
// don't exceed.
func (s *spread) ranked(n int64, percentiles []int) map[int]int64 {
	found := make(map[int]int64, len(percentiles))
	slices.Sort(s.list)
	value, upto := -1, int64(0) // of the table; how many values are at most that
	for _, p := range percentiles {
		rank := (n*int64(p) + 99) / 100
		for upto < rank && value+1 < len(s.counts) {
			value++
			upto += int64(s.counts[value])
		}
		if upto >= rank {
			found[p] = int64(value)
		} else {
			found[p] = s.list[rank-upto-1]
		}
	}
	return found
}
