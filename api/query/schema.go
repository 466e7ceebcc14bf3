package query

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// marshal is json.Marshal of a value that may be null.
func marshal[T any](v *T) ([]byte, error) { return json.Marshal(v) }

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
