package render

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"queuetrack/projection/wait"
)

// WriteJSON writes the report as the REST door answers it.
func (r Waits) WriteJSON(w io.Writer) error {
	body, err := r.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = w.Write(append(body, '\n'))
	return err
}

// MarshalJSON writes the report with its keys in a fixed order. The names of some keys depend on what was asked for,
// so no struct can say them.
func (r Waits) MarshalJSON() ([]byte, error) {
	groups := make([]string, len(r.GroupBy))
	for i, k := range r.GroupBy {
		groups[i] = string(k)
	}
	items := make([]object, len(r.Items))
	for i, item := range r.Items {
		items[i] = r.item(item)
	}
	positions := r.Positions
	if positions == nil {
		positions = map[string]int64{}
	}
	o := object{
		{"from", r.local(r.From)},
		{"to", r.local(r.To)},
		{"tz", r.Zone.String()},
		{"group_by", groups},
		{"attributed_by", string(cmp.Or(r.AttributedBy, wait.AtArrival))},
	}
	if r.Compare {
		o = append(o, field{"previous", object{{"from", r.local(r.PreviousFrom)}, {"to", r.local(r.PreviousTo)}}})
	}
	return json.Marshal(append(o, field{"items", items}, field{"positions", positions}))
}

// item is one group with everything that is known of it.
func (r Waits) item(item wait.Item) object {
	var o object
	for _, k := range r.keys() {
		if o = append(o, field{string(k), r.keyValue(item, k)}); k == wait.ByQueue {
			o = append(o, field{"name", r.queueName(item)})
		}
	}
	o = r.inWindow(o, item.Start, item.End, item.Measures)
	if item.Previous != nil {
		o = append(o, field{"previous", r.inWindow(nil, item.Previous.Start, item.Previous.End, item.Previous.Measures)})
	}
	return o
}

// inWindow adds what is known of a group in one window.
func (r Waits) inWindow(o object, start, end time.Time, m wait.Measures) object {
	if r.byTime() {
		o = append(o, field{"start", r.local(start)}, field{"end", r.local(end)})
	}
	for _, c := range counts(wait.Item{Measures: m}) {
		o = append(o, field{c.name, c.n})
	}
	excluded := m.Excluded
	if excluded == nil {
		excluded = map[string]int64{}
	}
	o = append(o,
		field{"wait", r.stats(m.Wait)},
		field{"abandoned_wait", r.stats(m.AbandonedWait)},
		field{"service", r.stats(m.Service)},
		field{"service_level", r.serviceLevel(m)},
		field{"calls", calls(m)},
		field{"excluded", excluded},
	)
	if r.QueueLength {
		o = append(o, field{"queue_length", queueLength(m.QueueLength)})
	}
	if r.DropOff {
		o = append(o, field{"drop_off", dropOff(m.DropOff)})
	}
	return o
}

// calls are counts of segments, and of what was done again.
func calls(m wait.Measures) object {
	return object{
		{"called", m.Calls.Called},
		{"recalled", m.Calls.Recalled},
		{"recalls", m.Calls.Recalls},
		{"recall_rate", ratio(m.Calls.Recalled, m.Calls.Called)},
		{"return_rate", ratio(m.Returned, m.Calls.Called)},
	}
}

func queueLength(q wait.QueueLength) object {
	return object{
		{"mean", ratio(q.WaitingSeconds, q.ElapsedSeconds)},
		{"max", q.Max},
		{"waiting_seconds", q.WaitingSeconds},
		{"elapsed_seconds", q.ElapsedSeconds},
	}
}

func dropOff(places []wait.Place) []object {
	list := make([]object, len(places))
	for i, p := range places {
		to := field{"place_to", nil}
		if p.To > 0 {
			to.value = p.To
		}
		list[i] = object{{"place_from", p.From}, to, {"offered", p.Offered}, {"abandoned", p.Abandoned}, {"rate", ratio(p.Abandoned, p.Offered)}}
	}
	return list
}

// ratio is a quotient; nil when there is nothing to divide by.
func ratio(n, of int64) any {
	if of == 0 {
		return nil
	}
	return float64(n) / float64(of)
}

// count is one number of segments.
type count struct {
	name string
	n    int64
}

// counts are the segments that were offered, and the outcomes that they are parted into.
func counts(i wait.Item) []count {
	return []count{
		{"offered", i.Offered},
		{"served", i.Served},
		{"abandoned", i.Abandoned},
		{"no_show", i.NoShow},
		{"cancelled", i.Cancelled},
		{"returned", i.Returned},
		{"transferred", i.Transferred},
		{"expired", i.Expired},
		{"merged", i.Merged},
		{"open", i.Open},
	}
}

// stats are the figures of a set of seconds; all null when it is empty.
func (r Waits) stats(s wait.Stats) object {
	o := object{{"n", s.N}, {"mean_seconds", nil}}
	if s.N > 0 {
		o[1].value = s.Mean
	}
	for _, p := range r.Percentiles {
		f := field{percentile(p), nil}
		if v, ok := s.Percentiles[p]; ok && s.N > 0 {
			f.value = v
		}
		o = append(o, f)
	}
	longest := field{"max_seconds", nil}
	if s.N > 0 {
		longest.value = s.Max
	}
	o = append(o, longest)
	if s.N < LowN {
		o = append(o, field{"low_n", true})
	}
	return o
}

// percentile is the name of the key of a percentile.
func percentile(p int) string { return "p" + strconv.Itoa(p) + "_seconds" }

// serviceLevel comes with the components that every formula can be computed from.
func (r Waits) serviceLevel(i wait.Measures) object {
	return object{
		{"threshold_seconds", r.ServiceLevel},
		{"formula", string(r.Formula)},
		{"value", i.ServiceLevel},
		{"served_within", i.ServedWithin},
		{"served", i.Served},
		{"abandoned_within", i.AbandonedWithin},
		{"abandoned", i.Abandoned},
	}
}

// object is a JSON object whose keys keep their order.
type object []field

type field struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			buf.WriteByte(',')
		}
		buf.WriteString(strconv.Quote(f.name))
		buf.WriteByte(':')
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", f.name, err)
		}
		buf.Write(value)
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}
