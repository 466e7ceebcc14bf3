package query

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// marshal is json.Marshal of a value that may be null.
func marshal[T any](v *T) ([]byte, error) { return json.Marshal(v) }

// waitsResponse describes a wait report. Its schema is written out: the names of some keys depend on the request.
func waitsResponse() *huma.Response {
	return &huma.Response{
		Description: "The report.",
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: waitsSchema()},
			"text/csv":         {Schema: &huma.Schema{Type: huma.TypeString, Description: "RFC 4180, with a header."}},
		},
	}
}

func waitsSchema() *huma.Schema {
	return record([]property{
		{"from", instantSchema("Beginning of the window, with the zone's offset.")},
		{"to", instantSchema("End of the window, itself outside.")},
		{"tz", described(huma.TypeString, "Zone of the buckets.")},
		{"group_by", &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}}},
		{"attributed_by", described(huma.TypeString, "What placed a segment in the window.")},
		{"items", &huma.Schema{Type: huma.TypeArray, Items: waitItemSchema()}},
		{"positions", countsSchema("How far each source's log was folded.")},
	})
}

// waitItemSchema describes one group. Its keys are there as far as it is grouped by them.
func waitItemSchema() *huma.Schema {
	var list []property
	for _, outcome := range []string{
		"offered", "served", "abandoned", "no_show", "cancelled", "returned", "transferred", "expired", "merged", "open",
	} {
		list = append(list, property{outcome, integerSchema()})
	}
	item := record(append(list,
		property{"wait", statsSchema("Waits that ended with a call.")},
		property{"abandoned_wait", statsSchema("Waits that were given up.")},
		property{"service", statsSchema("Services of served segments.")},
		property{"service_level", serviceLevelSchema()},
		property{"excluded", countsSchema("What was left out of which figures, by cause; only those above 0.")},
	))
	item.Properties["source"] = described(huma.TypeString, "With group_by source, or queues of several sources.")
	item.Properties["queue"] = described(huma.TypeString, "With group_by queue: the vendor's id.")
	item.Properties["day"] = described(huma.TypeString, "With group_by day: 2026-11-20.")
	item.Properties["hour"] = described(huma.TypeString, "With group_by hour: its local start, 2026-11-20T09:00.")
	item.Properties["start"] = instantSchema("With a group of time: its beginning.")
	item.Properties["end"] = instantSchema("With a group of time: its end, itself outside.")
	return item
}

func statsSchema(description string) *huma.Schema {
	s := record([]property{
		{"n", integerSchema()},
		{"mean_seconds", maybe(huma.TypeNumber)},
		{"max_seconds", maybe(huma.TypeInteger)},
	})
	s.Description = description + " All null when n is 0. For each percentile asked for there is a key like p90_seconds."
	for _, key := range []string{"p50_seconds", "p80_seconds", "p90_seconds", "p95_seconds"} {
		s.Properties[key] = maybe(huma.TypeInteger)
	}
	s.Properties["low_n"] = described(huma.TypeBoolean, "True: fewer than 10 samples, so that percentiles say little.")
	return s
}

func serviceLevelSchema() *huma.Schema {
	s := record([]property{
		{"threshold_seconds", integerSchema()},
		{"formula", &huma.Schema{Type: huma.TypeString, Enum: []any{"F1", "F2", "F3", "F4"}}},
		{"value", maybe(huma.TypeNumber)},
		{"served_within", integerSchema()},
		{"served", integerSchema()},
		{"abandoned_within", integerSchema()},
		{"abandoned", integerSchema()},
	})
	s.Description = "With the components that every formula can be computed from; value is null when there is nothing to divide by."
	return s
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
