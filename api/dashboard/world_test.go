package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/api"
	"queuetrack/api/ingest"
	"queuetrack/api/query"
	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/ombori"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
	estimates "queuetrack/projection/estimate"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// noon is every test's clock: 14:00 in Tallinn.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// world is the pages over the REST API over a database of its own, wired as cmd does it.
type world struct {
	t         testing.TB
	pool      *pgxpool.Pool
	log       *eventstore.Log
	sources   map[string]source.Source
	runner    *projection.Runner
	models    []projection.ReadModel
	poison    *bool // bodies that hold the word "poison" can't be decoded
	dashboard *Dashboard
	handler   http.Handler
}

// newWorld has two sources in two zones: city (Qminder, Tallinn) and store (Ombori, Stockholm). Nothing was received.
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
	poison := true
	w := &world{
		t: t, pool: pool, log: eventstore.New(pool, eventstore.Config{}), poison: &poison,
		sources: map[string]source.Source{"city": poisonable{city, &poison}, "store": store},
		models:  []projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, estimates.Model{}},
	}
	w.runner = projection.NewRunner(pool, w.log, w.sources, w.models, w.config("a version"))
	w.mount()
	return w
}

// mount wires the doors and the pages.
func (w *world) mount() {
	tallinn, stockholm := zone(w.t, "Europe/Tallinn"), zone(w.t, "Europe/Stockholm")
	door := query.New(projection.NewReader(w.pool), w.log, query.Config{
		Version: "test", Now: func() time.Time { return noon },
		Operator: operator{ingest.NewRetrier(w.log, w.sources), w}, Rebuilds: waited{w},
		Sources: []query.SourceInfo{
			{
				Name: "city", Kind: "qminder", Zone: tallinn, SilentAfter: 30 * time.Minute,
				Queues: map[string]query.QueueInfo{"37338": {Name: "Passports", Location: "City Hall"}},
			},
			{Name: "store", Kind: "ombori", Zone: stockholm},
		},
	})
	rest := chi.NewRouter()
	door.Mount(rest)
	w.dashboard = New(Config{
		REST: rest, Waits: door.WaitsPageOf, Estimates: door.BacktestPageOf,
		Now: func() time.Time { return noon }, Logger: slog.New(slog.DiscardHandler),
	})
	w.t.Cleanup(w.dashboard.end)
	router := api.NewRouter(slog.New(slog.DiscardHandler))
	router.Group(func(r chi.Router) {
		r.Use(w.dashboard.Readable, api.SameSite("127.0.0.1:8080"))
		w.dashboard.Mount(r)
		w.dashboard.MountPublic(r)
	})
	w.handler = router
}

func (w *world) config(version string) projection.Config {
	return projection.Config{Logger: slog.New(slog.DiscardHandler), Fingerprint: projection.Fingerprint{Code: version}}
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// poisonable is a source whose adapter fails on a body that says so, until it is mended.
type poisonable struct {
	source.Source
	poison *bool
}

func (s poisonable) Decode(body []byte) (source.Decoded, error) {
	if *s.poison && bytes.Contains(body, []byte("poison")) {
		return source.Decoded{}, errors.New("it is <poison>")
	}
	return s.Source.Decode(body)
}

// operator does what the POSTs ask for. What it appends is folded at once.
type operator struct {
	*ingest.Retrier
	world *world
}

func (o operator) RetryDeadLetter(ctx context.Context, source string, position int64) (projection.Retried, error) {
	return o.world.runner.Retry(ctx, source, position)
}

func (o operator) DismissDeadLetter(ctx context.Context, source string, position int64) (projection.Retried, error) {
	return o.world.runner.Dismiss(ctx, source, position, noon)
}

func (o operator) CloseTicket(ctx context.Context, source, id, reason string) (int64, error) {
	receipt, err := projection.Close(ctx, o.world.pool, o.world.log, source, id, reason, noon)
	if err != nil {
		return 0, err
	}
	return receipt.Position, o.world.runner.CatchUp(ctx)
}

// waited does tasks while it is waited for them.
type waited struct{ *world }

func (w waited) Begin(ctx context.Context, task projection.Task) (err error) {
	switch r := projection.NewRebuilder(w.pool, w.log, w.sources, w.models, w.config("a version")); task {
	case projection.TaskRebuild:
		_, err = r.Rebuild(ctx, nil)
	case projection.TaskRollback:
		_, err = r.Rollback(ctx, nil)
	case projection.TaskDiscard:
		err = r.Discard(ctx)
	}
	return err
}

// deliver appends bodies to a source's log, received when it is noon, and folds everything.
func (w *world) deliver(source string, bodies ...string) {
	w.t.Helper()
	for _, body := range bodies {
		id := w.sources[source].Identify([]byte(body))
		_, err := w.log.Append(context.Background(), source, eventstore.Delivery{
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

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

// send asks as a browser does that wants a page.
func (w *world) send(r *http.Request) reply {
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "text/html,application/xhtml+xml")
	}
	r.Host = "127.0.0.1:8080"
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r.WithContext(w.t.Context()))
	return reply{out.Code, out.Header(), out.Body.String()}
}

// get asks for a page; headers are pairs of a name and a value.
func (w *world) get(target string, headers ...string) reply {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return w.send(r)
}

// post sends a form as a page of ours has a browser send it; fields are pairs of a name and a value.
func (w *world) post(target string, fields ...string) reply {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return w.send(r)
}

// page is get of a page that must be there, and keeps to what all pages do.
func (w *world) page(target string) string {
	w.t.Helper()
	a := w.get(target)
	if a.status != http.StatusOK {
		w.t.Fatalf("GET %s: %d %s", target, a.status, a.body)
	}
	w.isPage(target, a)
	return a.body
}

// isPage checks what every page is bound to, whatever its status: the headers, and nothing inline that the policy stops.
func (w *world) isPage(target string, a reply) {
	w.t.Helper()
	if got, want := a.header.Get("Content-Type"), "text/html; charset=utf-8"; got != want {
		w.t.Errorf("%s: Content-Type %q, want %q", target, got, want)
	}
	if got := a.header.Get("Content-Security-Policy"); got != policy {
		w.t.Errorf("%s: Content-Security-Policy %q, want %q", target, got, policy)
	}
	for _, inline := range []string{" style=", " onclick=", "javascript:", "<style", "<script>"} {
		if strings.Contains(a.body, inline) {
			w.t.Errorf("%s has %q, which the policy stops", target, inline)
		}
	}
	if n := strings.Count(a.body, "<h1"); n != 1 {
		w.t.Errorf("%s has %d <h1>, want 1", target, n)
	}
}

// shows fails unless the page holds each text, markup included.
func shows(t testing.TB, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q:\n%s", text, mainOf(page))
		}
	}
}

// hides fails if the page holds one of the texts.
func hides(t testing.TB, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			t.Errorf("the page has %q:\n%s", text, mainOf(page))
		}
	}
}

func mainOf(page string) string {
	_, main, _ := strings.Cut(page, "<main")
	return main
}

// visit is what a Qminder delivery tells of a ticket. Ids and labels may be anything.
type visit struct {
	typ, id, label, status, line string
	steps                        []string // pairs of a step and its time of day, UTC
}

func (v visit) body() string {
	data := map[string]any{
		"id": v.id, "publicId": v.label, "status": v.status, "line": v.line,
		"firstName": "Mari", "lastName": "Maasikas", "phoneNumber": 37255500112, "email": "mari@example.com",
	}
	for i := 0; i < len(v.steps); i += 2 {
		step := map[string]any{"date": "2026-11-20T" + v.steps[i+1] + "Z"}
		if v.steps[i] == "called" {
			step["caller"], step["desk"] = 14267, 3
		}
		data[v.steps[i]] = step
	}
	body, err := json.Marshal(map[string]any{"type": v.typ, "data": data})
	if err != nil {
		panic(err) // strings always encode
	}
	return string(body)
}

// morning is, in the queue Passports (37338), one served, A1, and two waiting, A2 and A3; in 37339 one called, B4; and one
// delivery that is quarantined.
func morning() []string {
	return []string{
		visit{"ticket_created", "1", "A1", "NEW", "37338", []string{"created", "07:00:00"}}.body(),
		visit{"ticket_called", "1", "A1", "CALLED", "37338", []string{"created", "07:00:00", "called", "07:10:00"}}.body(),
		visit{"ticket_served", "1", "A1", "SERVED", "37338", []string{"created", "07:00:00", "called", "07:10:00", "served", "07:20:00"}}.body(),
		visit{"ticket_created", "2", "A2", "NEW", "37338", []string{"created", "11:00:00"}}.body(),
		visit{"ticket_created", "3", "A3", "NEW", "37338", []string{"created", "11:30:00"}}.body(),
		visit{"ticket_created", "4", "B4", "NEW", "37339", []string{"created", "11:00:00"}}.body(),
		visit{"ticket_called", "4", "B4", "CALLED", "37339", []string{"created", "11:00:00", "called", "11:05:00"}}.body(),
		`{"type":"ticket_created","data":{"status":"NEW"}}`,
	}
}

// The world itself: the overview and the board of a morning.
func TestMorningIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	shows(t, w.page("/"), "Passports", "City Hall", `href="/queues/city/37338"`)
	board := w.page("/board/city")
	shows(t, board, "B4", "Passports")
	hides(t, board, "Mari", "3725550")
}
