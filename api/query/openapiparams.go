package query

import (
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// describeParameters gives each parameter that has none a right value as an example, and those in the path a
// description. The values are those of the examples' little world. The viewer fills in what is an example of the
// parameter itself; a filter that is not asked for must not be filled in, so its example is in its schema and its
// description. Headers come last: few who read need them.
func describeParameters(oapi *huma.OpenAPI) {
	for _, item := range oapi.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				describeParameter(p)
			}
			slices.SortStableFunc(op.Parameters, func(a, b *huma.Param) int { return rank(a) - rank(b) })
		}
	}
}

func rank(p *huma.Param) int {
	if p.In == "header" {
		return 1
	}
	return 0
}

func describeParameter(p *huma.Param) {
	value := exampleOf(p.Name)
	if p.In == "path" {
		if p.Example = value; p.Description == "" && p.Name == "source" {
			p.Description = "The source's name in the configuration."
		}
		return
	}
	s := p.Schema
	if len(s.Examples) == 0 && len(s.Enum) == 0 && s.Default == nil {
		s.Examples = []any{value}
	}
	if len(s.Examples) > 0 && p.In == "query" && p.Name != "cursor" {
		p.Description += fmt.Sprintf(" As `%s=%v`.", p.Name, s.Examples[0])
	}
}

// exampleOf is a right value of a parameter; nil: the parameter's own words say it.
func exampleOf(name string) any {
	switch name {
	case "source":
		return "city"
	case "queue":
		return "37338"
	case "location":
		return "City Hall"
	case "ticket":
		return "1007"
	case "position", "after":
		return 7
	case "cursor":
		return "the next of the page before"
	case "service_level":
		return 300
	case "If-None-Match":
		return `"cR3vPq5N8sW1xYzA0bKdLmHt"`
	case paramLastEventID, headerLastEventID:
		return "city:40"
	}
	return nil
}
