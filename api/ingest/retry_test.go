package ingest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/api"
	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

// archive holds one event, at position 3 of city.
type archive struct {
	held     eventstore.Held
	err      error // of Append
	retried  int64 // by another, before Append gets there
	appended []eventstore.Delivery
}

func (a *archive) Held(_ context.Context, _ string, position int64) (eventstore.Held, error) {
	switch position {
	case a.held.Position:
		return a.held, nil
	case 1:
		return eventstore.Held{}, eventstore.ErrNotQuarantined
	}
	return eventstore.Held{}, eventstore.ErrNoEvent
}

func (a *archive) Append(_ context.Context, _ string, d eventstore.Delivery) (eventstore.Receipt, error) {
	if a.err != nil {
		a.held.RetriedAs = a.retried
		return eventstore.Receipt{}, a.err
	}
	a.appended = append(a.appended, d)
	return eventstore.Receipt{Result: eventstore.Accepted, Position: 9}, nil
}

// quarantined is body as it was quarantined two days ago.
func quarantined(body string) *archive {
	return &archive{held: eventstore.Held{Event: eventstore.Event{
		Source: "city", Position: 3, Type: "unknown", ReceivedAt: now.Add(-48 * time.Hour), Body: []byte(body),
		VerifiedBy: "literal-2", Quarantined: "not JSON",
	}}}
}

// mending is an adapter that can't read bodies with a byte order mark, until it is mended.
type mending struct {
	source.Source
	mended bool
}

func (m *mending) Identify(body []byte) source.Identity {
	rest, marked := bytes.CutPrefix(body, []byte("\ufeff"))
	if marked && !m.mended {
		return source.Identity{Type: source.UnknownType, Quarantine: "not JSON: a byte order mark"}
	}
	return m.Source.Identify(rest)
}

func TestRetryAfterTheAdapterWasMended(t *testing.T) {
	t.Parallel()
	body := "\ufeff" + created
	log, adapter := quarantined(body), &mending{Source: sources(t)["city"]}
	r := NewRetrier(log, map[string]source.Source{"city": adapter})
	_, err := r.Retry(t.Context(), "city", 3)
	if !errors.Is(err, api.NewProblem(api.KindStillUnusable, "")) || !strings.Contains(err.Error(), "a byte order mark") {
		t.Errorf("before: %v, want the cause", err)
	}
	if len(log.appended) > 0 {
		t.Errorf("before: appended %+v", log.appended)
	}
	adapter.mended = true
	position, err := r.Retry(t.Context(), "city", 3)
	if err != nil || position != 9 {
		t.Errorf("after: position %d, %v; want 9", position, err)
	}
	want := []eventstore.Delivery{{
		Ticket: "1", Type: "ticket_created", OccurredAt: time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC),
		ReceivedAt: now.Add(-48 * time.Hour), Body: []byte(body), VerifiedBy: "literal-2", RepeatOf: 3,
	}}
	if diff := cmp.Diff(want, log.appended); diff != "" {
		t.Errorf("appended (-want +got):\n%s", diff)
	}
}

// What tells of no ticket is news all the same: what a queue is called.
func TestRetryOfWhatIsAboutNoTicket(t *testing.T) {
	t.Parallel()
	log := quarantined(`{"type":"line_changed","data":{"id":7,"name":"Passports"}}`)
	if _, err := NewRetrier(log, sources(t)).Retry(t.Context(), "city", 3); err != nil {
		t.Fatal(err)
	}
	if len(log.appended) != 1 || log.appended[0].Ticket != "" || log.appended[0].Type != "line_changed" {
		t.Errorf("appended %+v", log.appended)
	}
}

func TestRetriesThatAreRefused(t *testing.T) {
	t.Parallel()
	alreadyRetried := quarantined(created)
	alreadyRetried.held.RetriedAs = 7
	overtaken := quarantined(created)
	overtaken.err, overtaken.retried = errors.New("refused: the position is repeated already"), 8
	ping := quarantined(`{"EventId":"4b5ce038-50f2-4796-bdb2-000000000011","Event":"test"}`)
	busy := quarantined(created)
	busy.err = eventstore.ErrBusy
	broken := quarantined(created)
	broken.err = errors.New("the disk is full")
	for name, c := range map[string]struct {
		log      *archive
		source   string
		position int64
		status   int
		kind     api.Kind
		says     string
	}{
		"an unknown source":            {quarantined(created), "elsewhere", 3, http.StatusNotFound, api.KindUnknownSource, "elsewhere"},
		"no such event":                {quarantined(created), "city", 99, http.StatusNotFound, api.KindUnknownEvent, "99"},
		"not quarantined":              {quarantined(created), "city", 1, http.StatusConflict, api.KindNotQuarantined, "Position 1"},
		"retried already":              {alreadyRetried, "city", 3, http.StatusConflict, api.KindAlreadyRetried, "at position 7"},
		"another retry came first":     {overtaken, "city", 3, http.StatusConflict, api.KindAlreadyRetried, "at position 8"},
		"still unreadable":             {quarantined(`{`), "city", 3, http.StatusConflict, api.KindStillUnusable, "not JSON"},
		"still without its ticket":     {quarantined(`{"type":"ticket_created","data":{}}`), "city", 3, http.StatusConflict, api.KindStillUnusable, "without its ticket"},
		"a registration test":          {ping, "crm", 3, http.StatusConflict, api.KindStillUnusable, "registration test"},
		"the log is busy":              {busy, "city", 3, http.StatusServiceUnavailable, api.KindBusy, ""},
		"the log fails in another way": {broken, "city", 3, http.StatusInternalServerError, api.KindInternal, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewRetrier(c.log, sources(t)).Retry(t.Context(), c.source, c.position)
			p := api.ProblemOf(err)
			if err == nil || p.Status != c.status || p.Type != "/problems/"+string(c.kind) || !strings.Contains(p.Detail, c.says) {
				t.Errorf("%v, which is %+v; want %d %s with %q", err, p, c.status, c.kind, c.says)
			}
			if len(c.log.appended) > 0 {
				t.Errorf("appended %+v", c.log.appended)
			}
		})
	}
}

// An adapter that panics on a body leaves it where it is.
func TestRetryOfWhatMakesTheAdapterPanic(t *testing.T) {
	t.Parallel()
	log := quarantined(created)
	_, err := NewRetrier(log, map[string]source.Source{"city": panicking{}}).Retry(t.Context(), "city", 3)
	if !errors.Is(err, api.NewProblem(api.KindStillUnusable, "")) {
		t.Errorf("%v, want that it still can't be used", err)
	}
}
