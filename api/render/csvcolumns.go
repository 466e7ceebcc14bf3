package render

import (
	"strconv"

	"queuetrack/projection/wait"
)

// csvColumn is one number of an item.
type csvColumn struct {
	name string
	cell func(*wait.Measures) string
}

// csvColumns are the fields of the JSON, flattened, in its order.
func (r Waits) csvColumns() []csvColumn {
	var list []csvColumn
	add := func(name string, cell func(*wait.Measures) string) { list = append(list, csvColumn{name, cell}) }
	number := func(name string, n func(*wait.Measures) int64) {
		add(name, func(m *wait.Measures) string { return integer(n(m)) })
	}
	for i, c := range counts(wait.Item{}) {
		number(c.name, func(m *wait.Measures) int64 { return counts(wait.Item{Measures: *m})[i].n })
	}
	list = append(list, r.csvStats("wait", func(m *wait.Measures) *wait.Stats { return &m.Wait })...)
	list = append(list, r.csvStats("abandoned_wait", func(m *wait.Measures) *wait.Stats { return &m.AbandonedWait })...)
	list = append(list, r.csvStats("service", func(m *wait.Measures) *wait.Stats { return &m.Service })...)
	add("service_level", func(m *wait.Measures) string {
		if m.ServiceLevel == nil {
			return ""
		}
		return decimal(*m.ServiceLevel)
	})
	number("service_level_threshold_seconds", func(*wait.Measures) int64 { return r.ServiceLevel })
	add("service_level_formula", func(*wait.Measures) string { return cell(string(r.Formula)) })
	number("served_within", func(m *wait.Measures) int64 { return m.ServedWithin })
	number("abandoned_within", func(m *wait.Measures) int64 { return m.AbandonedWithin })
	number("calls_called", func(m *wait.Measures) int64 { return m.Calls.Called })
	number("calls_recalled", func(m *wait.Measures) int64 { return m.Calls.Recalled })
	number("calls_recalls", func(m *wait.Measures) int64 { return m.Calls.Recalls })
	add("calls_recall_rate", func(m *wait.Measures) string { return quotient(m.Calls.Recalled, m.Calls.Called) })
	add("calls_return_rate", func(m *wait.Measures) string { return quotient(m.Returned, m.Calls.Called) })
	for _, cause := range exclusions {
		number("excluded_"+cause, func(m *wait.Measures) int64 { return m.Excluded[cause] })
	}
	if r.QueueLength {
		add("queue_length_mean", func(m *wait.Measures) string {
			return quotient(m.QueueLength.WaitingSeconds, m.QueueLength.ElapsedSeconds)
		})
		number("queue_length_max", func(m *wait.Measures) int64 { return m.QueueLength.Max })
		number("queue_length_waiting_seconds", func(m *wait.Measures) int64 { return m.QueueLength.WaitingSeconds })
		number("queue_length_elapsed_seconds", func(m *wait.Measures) int64 { return m.QueueLength.ElapsedSeconds })
	}
	if r.DropOff {
		list = append(list, csvDropOff()...)
	}
	return list
}

// csvStats are the figures of a set of seconds.
func (r Waits) csvStats(set string, of func(*wait.Measures) *wait.Stats) []csvColumn {
	list := []csvColumn{
		{set + "_n", func(m *wait.Measures) string { return integer(of(m).N) }},
		{set + "_mean_seconds", func(m *wait.Measures) string {
			if of(m).N == 0 {
				return ""
			}
			return decimal(of(m).Mean)
		}},
	}
	for _, p := range r.Percentiles {
		list = append(list, csvColumn{set + "_" + percentile(p), func(m *wait.Measures) string {
			v, ok := of(m).Percentiles[p]
			return optional(v, ok && of(m).N > 0)
		}})
	}
	return append(list,
		csvColumn{set + "_max_seconds", func(m *wait.Measures) string { return optional(of(m).Max, of(m).N > 0) }},
		csvColumn{set + "_low_n", func(m *wait.Measures) string { return strconv.FormatBool(of(m).N < LowN) }})
}

// csvDropOff are three for each class of places: drop_off_4_to_5_offered, …
func csvDropOff() []csvColumn {
	var list []csvColumn
	for i, class := range wait.Places {
		at := func(m *wait.Measures) wait.Place {
			if i < len(m.DropOff) {
				return m.DropOff[i]
			}
			return wait.Place{}
		}
		name := "drop_off_" + integer(class.From)
		switch class.To {
		case class.From:
		case 0:
			name += "_up"
		default:
			name += "_to_" + integer(class.To)
		}
		list = append(list,
			csvColumn{name + "_offered", func(m *wait.Measures) string { return integer(at(m).Offered) }},
			csvColumn{name + "_abandoned", func(m *wait.Measures) string { return integer(at(m).Abandoned) }},
			csvColumn{name + "_rate", func(m *wait.Measures) string { return quotient(at(m).Abandoned, at(m).Offered) }})
	}
	return list
}
