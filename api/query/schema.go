package query

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// marshal is json.Marshal of a value that may be null.
func marshal[T any](v *T) ([]byte, error) { return json.Marshal(v) }

// flags say what is doubtful about a ticket or a segment; never null.
type flags []string

// Schema implements huma.SchemaProvider.
func (flags) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, Examples: []any{"call_implied"}},
		Description: "What is doubtful about it, and may grow. Known only from what followed: `creation_implied`, `call_implied`, `entry_implied` (of a booking's activation). " +
			"Clocks: `time_assumed` (the vendor gave no time, so that of the receipt stands in), `clock_ahead` (later than its own receipt), `negative_wait` and `negative_service` " +
			"(ended before they began; left out of reports). Readings: `return_assumed` (may be a late retry of the creation), `reopen_assumed` (went on after its end), " +
			"`self_registered` (had an owner from the start: never waited), `maybe_closed` (hints at an end without its status), `unattended` (ended by a timer, nobody served). " +
			"`too_many_facts`: beyond 1,000 facts, later ones were left out.",
	}
}

// property is one that is always there.
type property struct {
	name   string
	schema *huma.Schema
}

func record(list []property) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: true}
	for _, p := range list {
		s.Properties[p.name] = p.schema
		s.Required = append(s.Required, p.name)
	}
	return s
}

func described(kind, description string) *huma.Schema {
	return &huma.Schema{Type: kind, Description: description}
}

func integerSchema() *huma.Schema { return &huma.Schema{Type: huma.TypeInteger, Format: "int64"} }

func maybe(kind string) *huma.Schema { return &huma.Schema{Type: kind, Nullable: true} }

func instantSchema(description string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Description: description}
}

func countsSchema(description string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: integerSchema(), Description: description}
}
