//go:build linux

package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"queuetrack/cmd/queuetrack/demo"
)

// The queues of the city that tests tell of.
const (
	passports    = 37338
	registration = 37339
)

// post delivers a webhook, signed, and returns the position that it was answered with.
func (w *world) post(name string, body []byte) int64 {
	w.t.Helper()
	position, err := w.deliver(context.Background(), name, body)
	if err != nil {
		w.t.Fatal(err)
	}
	return position
}

// deliver is post, for which a refusal is no failure. Headers may be left out.
func (w *world) deliver(ctx context.Context, name string, body []byte, without ...string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.base+"/webhooks/"+name, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header = w.signers[name].Sign(body).Clone()
	request.Header.Set("Content-Type", "application/json")
	for _, header := range without {
		request.Header.Del(header)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("post to %s: %d %s", name, response.StatusCode, answer)
	}
	var taken struct{ Position int64 }
	return taken.Position, json.Unmarshal(answer, &taken)
}

// live tells the demo's day from its opening to now, and returns when the pages can show all of it.
func (w *world) live(seed uint64, past time.Duration) {
	w.t.Helper()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	player := demo.Player{
		Now: time.Now, CaughtUp: end,
		Post: func(ctx context.Context, d demo.Delivery) error {
			_, err := w.deliver(ctx, d.Source, d.Body)
			return err
		},
	}
	if err := player.Play(ctx, demo.NewDay(seed, time.Now().Add(-past))); err != nil {
		w.t.Fatal(err)
	}
	w.caughtUp()
}

// caughtUp waits until all that was posted is folded.
func (w *world) caughtUp() {
	w.t.Helper()
	eventually(w.t, "the read models catch up", patience, func() error {
		var projections struct {
			Items []struct {
				LagEvents int64 `json:"lag_events"`
			}
		}
		w.get("/v1/projections", &projections)
		for _, shard := range projections.Items {
			if shard.LagEvents > 0 {
				return errors.New("behind")
			}
		}
		return nil
	})
}

// visitor is somebody at the city hall, told of as Qminder does.
type visitor struct {
	w    *world
	data map[string]any
}

// arrive has somebody draw a number. More of what Qminder tells may be given.
func (w *world) arrive(id int, label string, queue int, more map[string]any) *visitor {
	w.t.Helper()
	v := &visitor{w: w, data: map[string]any{
		"id": strconv.Itoa(id), "publicId": label, "line": queue, "source": "MANUAL", "created": moment(-330 * time.Second), // no minute ends while a test looks
	}}
	for key, value := range more {
		v.data[key] = value
	}
	v.say("ticket_created", "NEW")
	return v
}

func (v *visitor) say(event, status string) int64 {
	v.w.t.Helper()
	v.data["status"] = status
	body, err := json.Marshal(map[string]any{"type": event, "data": v.data})
	if err != nil {
		v.w.t.Fatal(err)
	}
	return v.w.post("city", body)
}

// call calls the visitor to a desk, now.
func (v *visitor) call(desk int) {
	v.w.t.Helper()
	event := "ticket_called"
	if _, again := v.data["called"]; again {
		event = "ticket_recalled"
	}
	called := moment(0)
	called["desk"], called["caller"] = desk, 61
	v.data["called"] = called
	v.say(event, "CALLED")
}

func (v *visitor) serve() {
	v.w.t.Helper()
	v.data["served"] = moment(0)
	v.say("ticket_served", "SERVED")
}

func moment(ago time.Duration) map[string]any {
	return map[string]any{"date": time.Now().Add(ago).UTC().Format("2006-01-02T15:04:05.000Z")}
}
