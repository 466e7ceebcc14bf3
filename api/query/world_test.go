package query

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/api"
	"queuetrack/api/ingest"
	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/ombori"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// noon is every test's clock: 14:00 in Tallinn.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// world is a door on a database of its own, with what it takes to fill that.
type world struct {
	t       testing.TB
	pool    *pgxpool.Pool
	log     *eventstore.Log
	runner  *projection.Runner
	sources map[string]source.Source
	reader  *projection.Reader
	cfg     Config
	router  chi.Router
	api     huma.API
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// poisonable is a source whose adapter fails on a body that says so.
type poisonable struct{ source.Source }

func (s poisonable) Decode(body []byte) (source.Decoded, error) {
	if bytes.Contains(body, []byte("poison")) {
		return source.Decoded{}, errors.New("it is poison")
	}
	return s.Source.Decode(body)
}

// newWorld has two sources in two zones: city (Qminder) and store (Ombori).
func newWorld(t testing.TB) *world {
	t.Helper()
	pool := dbtest.New(t)
	secrets := []source.Secret{{Name: "literal-1", Value: []byte("a-long-secret")}}
	city, err := qminder.New(source.Config{Name: "city", PublicURL: "https://hooks.example.com/webhooks/city", Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	store, err := ombori.New(source.Config{Name: "store", Header: "Authorization", Secrets: secrets, ServingTab: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, pool: pool, log: eventstore.New(pool, eventstore.Config{}), sources: map[string]source.Source{"city": poisonable{city}, "store": store},
		reader: projection.NewReader(pool),
		cfg: Config{
			Version: "test", Now: func() time.Time { return noon },
			Sources: []SourceInfo{
				{
					Name: "city", Kind: "qminder", Zone: zone(t, "Europe/Tallinn"), SilentAfter: 30 * time.Minute,
					Queues: map[string]QueueInfo{"37338": {Name: "Passports", Location: "City Hall"}, "37999": {Location: "1180"}},
				},
				{Name: "store", Kind: "ombori", Zone: zone(t, "Europe/Stockholm")},
			},
		},
	}
	w.runner = projection.NewRunner(pool, w.log, w.sources,
		[]projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, estimate.Model{}},
		projection.Config{Logger: slog.New(slog.DiscardHandler), Fingerprint: projection.Fingerprint{Code: "a version"}})
	w.cfg.Operator = operator{ingest.NewRetrier(w.log, w.sources), pool, w.log, w.runner}
	w.cfg.Rebuilds = waited{w}
	w.mount()
	return w
}

// operator does what the POSTs ask for, as cmd wires it.
type operator struct {
	*ingest.Retrier
	pool   *pgxpool.Pool
	log    *eventstore.Log
	runner *projection.Runner
}

func (o operator) RetryDeadLetter(ctx context.Context, source string, position int64) (projection.Retried, error) {
	return o.runner.Retry(ctx, source, position)
}

func (o operator) DismissDeadLetter(ctx context.Context, source string, position int64) (projection.Retried, error) {
	return o.runner.Dismiss(ctx, source, position, noon)
}

func (o operator) CloseTicket(ctx context.Context, source, id, reason string) (int64, error) {
	receipt, err := projection.Close(ctx, o.pool, o.log, source, id, reason, noon)
	return receipt.Position, err
}

func (w *world) rebuilder() *projection.Rebuilder {
	return projection.NewRebuilder(w.pool, w.log, w.sources,
		[]projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, estimate.Model{}},
		projection.Config{Logger: slog.New(slog.DiscardHandler), Fingerprint: projection.Fingerprint{Code: "a version"}})
}

// waited does tasks while it is waited for them.
type waited struct{ *world }

func (w waited) Begin(ctx context.Context, task projection.Task) (err error) {
	switch r := w.rebuilder(); task {
	case projection.TaskRebuild:
		_, err = r.Rebuild(ctx, nil)
	case projection.TaskRollback:
		_, err = r.Rollback(ctx, nil)
	case projection.TaskDiscard:
		err = r.Discard(ctx)
	}
	return err
}

// mount makes the door anew, after a change of its configuration.
func (w *world) mount() {
	d := New(w.reader, w.log, w.cfg)
	w.router = api.NewRouter(slog.New(slog.DiscardHandler))
	w.api = d.huma(humachi.NewAdapter(w.router))
	mountDocs(w.router, w.api.OpenAPI())
}

// deliver appends bodies to city's log, received when it is noon, and folds everything.
func (w *world) deliver(bodies ...string) {
	w.t.Helper()
	for _, body := range bodies {
		id := w.sources["city"].Identify([]byte(body))
		_, err := w.log.Append(context.Background(), "city", eventstore.Delivery{
			Ticket: id.Ticket, Type: id.Type, OccurredAt: id.OccurredAt, ReceivedAt: noon, Body: []byte(body),
			VerifiedBy: "literal-1", Quarantined: id.Quarantine,
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.runner.CatchUp(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) ask(method, target string, header ...string) answer {
	r := httptest.NewRequestWithContext(w.t.Context(), method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	out := httptest.NewRecorder()
	w.router.ServeHTTP(out, r)
	return answer{out.Code, out.Header(), out.Body.String()}
}

// get asks for JSON, and holds the answer against the OpenAPI document.
func (w *world) get(target string) map[string]any {
	w.t.Helper()
	a := w.ask(http.MethodGet, target)
	if a.status != http.StatusOK {
		w.t.Fatalf("GET %s: %d %s", target, a.status, a.body)
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		w.t.Fatalf("GET %s: %v in %s", target, err, a.body)
	}
	w.conforms(target, v)
	return v
}

// conforms validates an answer against its schema.
func (w *world) conforms(target string, v any) {
	w.t.Helper()
	path, _, _ := strings.Cut(target, "?")
	rctx := chi.NewRouteContext()
	if !w.router.Match(rctx, http.MethodGet, path) {
		w.t.Fatalf("no route for %s", path)
	}
	oapi := w.api.OpenAPI()
	schema := oapi.Paths[rctx.RoutePattern()].Get.Responses["200"].Content["application/json"].Schema
	schema.PrecomputeMessages()
	pb, res := huma.NewPathBuffer(nil, 0), &huma.ValidateResult{}
	huma.Validate(oapi.Components.Schemas, schema, pb, huma.ModeReadFromServer, v, res)
	for _, err := range res.Errors {
		w.t.Errorf("GET %s does not conform to its schema: %v", target, err)
	}
	declared(w.t, target, oapi.Components.Schemas, schema, v)
}

var percentileKey = regexp.MustCompile(`^p\d+_seconds$`)

// declared fails for a key that the schema does not tell of, percentiles apart.
func declared(t testing.TB, where string, schemas huma.Registry, s *huma.Schema, v any) {
	t.Helper()
	if len(s.AnyOf) > 0 { // something or null
		s = s.AnyOf[0]
	}
	if s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			declared(t, fmt.Sprintf("%s[%d]", where, i), schemas, s.Items, item)
		}
	case map[string]any:
		for key, value := range v {
			property, ok := s.Properties[key]
			switch _, open := s.AdditionalProperties.(*huma.Schema); {
			case ok:
				declared(t, where+"."+key, schemas, property, value)
			case !open && !percentileKey.MatchString(key):
				t.Errorf("%s.%s is not in the schema", where, key)
			}
		}
	}
}

// items are the items of a list.
func items(t testing.TB, v map[string]any) []map[string]any {
	t.Helper()
	raw, ok := v["items"].([]any)
	if !ok {
		t.Fatalf("items is %v, want a list", v["items"])
	}
	list := make([]map[string]any, len(raw))
	for i, item := range raw {
		list[i] = item.(map[string]any)
	}
	return list
}

// visitOn is a Qminder delivery about ticket id in a line; steps are pairs of a step and its time of day.
func visitOn(typ, id, status string, line int, steps ...string) string {
	var times strings.Builder
	for i := 0; i < len(steps); i += 2 {
		extra := ""
		if steps[i] == "called" {
			extra = `,"caller":14267,"desk":3`
		}
		fmt.Fprintf(&times, `,%q:{"date":"2026-11-20T%sZ"%s}`, steps[i], steps[i+1], extra)
	}
	return fmt.Sprintf(`{"type":%q,"data":{"id":%q,"status":%q,"line":%d,"firstName":"Mari","phoneNumber":37255500112%s}}`,
		typ, id, status, line, times.String())
}

// morning is one served, two waiting, one called, and one that nobody can read.
func morning() []string {
	return []string{
		visitOn("ticket_created", "1", "NEW", 37338, "created", "07:00:00"),
		visitOn("ticket_called", "1", "CALLED", 37338, "created", "07:00:00", "called", "07:10:00"),
		visitOn("ticket_served", "1", "SERVED", 37338, "created", "07:00:00", "called", "07:10:00", "served", "07:20:00"),
		visitOn("ticket_created", "2", "NEW", 37338, "created", "11:00:00"),
		visitOn("ticket_created", "3", "NEW", 37338, "created", "11:30:00.750"),
		visitOn("ticket_created", "4", "NEW", 37339, "created", "11:00:00"),
		visitOn("ticket_called", "4", "CALLED", 37339, "created", "11:00:00", "called", "11:05:00"),
		`{"type":"location_created","data":{"id":1180,"name":"Town House"}}`,
		`{"type":"ticket_created","data":{"status":"NEW"}}`,
	}
}
