package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

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
	return json.Marshal(object{
		{"from", r.local(r.From)},
		{"to", r.local(r.To)},
		{"tz", r.Zone.String()},
		{"group_by", groups},
		{"attributed_by", AttributedBy},
		{"items", items},
		{"positions", positions},
	})
}

// item is one group with everything that is known of it.
func (r Waits) item(item wait.Item) object {
	var o object
	for _, k := range r.keys() {
		o = append(o, field{string(k), r.key(item, k)})
	}
	if r.byTime() {
		o = append(o, field{"start", r.local(item.Start)}, field{"end", r.local(item.End)})
	}
	for _, c := range counts(item) {
		o = append(o, field{c.name, c.n})
	}
	excluded := item.Excluded
	if excluded == nil {
		excluded = map[string]int64{}
	}
	return append(o,
		field{"wait", r.stats(item.Wait)},
		field{"abandoned_wait", r.stats(item.AbandonedWait)},
		field{"service", r.stats(item.Service)},
		field{"service_level", r.serviceLevel(item)},
		field{"excluded", excluded},
	)
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
func (r Waits) serviceLevel(i wait.Item) object {
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
