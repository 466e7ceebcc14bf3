package projection

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/ombori"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/eventstore/source/superoffice"
	"queuetrack/eventstore/ticket"
)

// What an event costs from its body to the bytes that are stored of it, over all that a vendor sent of its tickets.
func BenchmarkFold(b *testing.B) {
	secrets := []source.Secret{{Name: "literal-1", Value: []byte("a secret of the bench")}}
	for name, test := range map[string]struct {
		make func(source.Config) (source.Source, error)
		cfg  source.Config
	}{
		"qminder":     {qminder.New, source.Config{Name: "city", PublicURL: "https://queues.example/webhooks/city", Secrets: secrets}},
		"ombori":      {ombori.New, source.Config{Name: "shop", Header: "X-Shop", Secrets: secrets}},
		"superoffice": {superoffice.New, source.Config{Name: "desk", Zone: time.UTC, Secrets: secrets}},
	} {
		b.Run(name, func(b *testing.B) {
			adapter, err := test.make(test.cfg)
			if err != nil {
				b.Fatal(err)
			}
			events := deliveries(b, name, adapter)
			f := &folding{adapter: adapter}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%len(events) == 0 {
					f.tickets, f.changes = map[string]ticket.Ticket{}, f.changes[:0]
				}
				f.event(events[i%len(events)])
			}
			if len(f.letters) > 0 {
				b.Fatal(f.letters[0])
			}
		})
	}
}

// deliveries are the vendor's captured ones, as a log would hold them.
func deliveries(b *testing.B, vendor string, adapter source.Source) []eventstore.Event {
	b.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "deliveries", vendor, "*.json"))
	if err != nil || len(files) == 0 {
		b.Fatal(err, len(files))
	}
	var events []eventstore.Event
	for i, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		if !json.Valid(body) {
			continue
		}
		id := adapter.Identify(body)
		events = append(events, eventstore.Event{
			Source: vendor, Position: int64(i + 1), Ticket: id.Ticket, Type: id.Type, OccurredAt: id.OccurredAt,
			ReceivedAt: time.Date(2026, 11, 20, 12, i, 0, 123456000, time.UTC), Body: body,
		})
	}
	return events
}
