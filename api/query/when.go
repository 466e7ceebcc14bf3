package query

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Least is the parameter of every answer that reads projections.
type Least struct {
	MinPosition vector `query:"min_position" doc:"Answer only once each of these sources is folded through its position, as a webhook's answer or an answer's positions told it. Waits two seconds at most, then 503 with how far it is."`
}

// Past are the parameters of answers that can be about the past.
type Past struct {
	AsOf         instant `query:"as_of" doc:"What was true at that instant, as known today; absent: now. Not together with as_of_position."`
	AsOfPosition vector  `query:"as_of_position" doc:"What had been told by these positions, the events at them included: the answer as it would have been then. It is about the sources named, and no others. Running times are those at the receipt of the event at the position. Waits like min_position for what is not folded yet."`
}

// When is of an answer about the past: what was asked.
type When struct {
	AsOf         *time.Time       `json:"as_of,omitempty" doc:"As asked; absent: the answer is about now."`
	AsOfPosition map[string]int64 `json:"as_of_position,omitempty" doc:"As asked; absent: the answer is by all that has been told."`
}

func (q *question) when() When { return When{AsOf: at(q.asOf), AsOfPosition: q.told} }

// vector are positions by source: city:184223,store:91.
type vector string

// Schema implements huma.SchemaProvider.
func (vector) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Pattern: `^[a-z0-9-]{1,40}:[0-9]+(,[a-z0-9-]{1,40}:[0-9]+)*$`,
		Examples: []any{"city:184223", "city:184223,store:91"},
	}
}

// question reads what every answer from projections can be asked for.
func (d *Door) question(p *parser, in Least) *question {
	return &question{least: d.vector(p, "min_position", in.MinPosition, 0)}
}

// pastQuestion reads what answers that can be about the past can be asked for. source is the only one asked about; "": all.
func (d *Door) pastQuestion(p *parser, in Least, past Past, source string) *question {
	q := d.question(p, in)
	q.moves = true
	q.asOf, q.told = p.instant("as_of", past.AsOf), d.vector(p, "as_of_position", past.AsOfPosition, 1)
	if past.AsOf != "" && past.AsOfPosition != "" {
		p.wrong("as_of_position", "as_of_position and as_of ask two different things: give one of them.")
	}
	if q.told == nil || source == "" || !d.known(source) {
		return q
	}
	if _, ok := q.told[source]; !ok {
		p.wrong("as_of_position", "as_of_position is %s; it must name a position of %s, as %s:184223.", quote(string(past.AsOfPosition)), source, source)
		return q
	}
	q.told = map[string]int64{source: q.told[source]} // where the others were says nothing about this one
	return q
}

// vector reads positions, each of a configured source and no source twice; nil when absent.
func (d *Door) vector(p *parser, name string, v vector, least int64) map[string]int64 {
	if v == "" {
		return nil
	}
	positions := map[string]int64{}
	for _, part := range strings.Split(string(v), ",") {
		source, digits, _ := strings.Cut(part, ":")
		position, err := strconv.ParseInt(digits, 10, 64)
		_, twice := positions[source]
		switch {
		case err != nil || position < least || decimal(position) != digits:
			p.wrong(name, "%s has %s; it must be SOURCE:POSITION, joined by commas, as city:184223,store:91, with positions from %d to %d.",
				name, quote(part), least, int64(math.MaxInt64))
			return positions
		case !d.known(source):
			p.wrong(name, "%s names %s; the configured sources are %s.", name, quote(source), d.listSources())
			return positions
		case twice:
			p.wrong(name, "%s names %s twice.", name, source)
			return positions
		}
		positions[source] = position
	}
	return positions
}
