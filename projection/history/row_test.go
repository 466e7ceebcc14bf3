package history

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"queuetrack/eventstore/ticket"
)

// The check reads a row's JSON and writes it anew.
func TestDetailIsWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringMatching(`[ -~äπ€😀\n\x00]{0,8}`))
		o := ticket.Observation{
			Queue: text.Draw(t, "queue"), Desk: text.Draw(t, "desk"), Agent: text.Draw(t, "agent"), Label: text.Draw(t, "label"),
			Reason: text.Draw(t, "reason"), By: ticket.Actor(text.Draw(t, "by")), Status: ticket.Status(text.Draw(t, "status")),
		}
		said := map[string]string{}
		for key, value := range map[string]string{
			"status": string(o.Status), "queue": o.Queue, "desk": o.Desk, "agent": o.Agent, "label": o.Label, "by": string(o.By), "reason": o.Reason,
		} {
			if value != "" {
				said[key] = value
			}
		}
		want, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := detailOf(&o); err != nil || got != string(want) {
			t.Errorf("%+v: %s (%v), want %s", o, got, err, want)
		}
	})
}
