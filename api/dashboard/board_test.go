package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/go-chi/chi/v5"
)

// Everybody sees a board: who the visitors are is not on it, nor by what id their vendor knows them.
func TestABoardTellsLabelsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city",
		visit{"ticket_created", "visitor-4711", "A1", "NEW", "37338", []string{"created", "11:00:00"}}.body(),
		visit{"ticket_called", "visitor-4711", "A1", "CALLED", "37338", []string{"created", "11:00:00", "called", "11:05:00"}}.body(),
	)
	shown := w.page("/board/city")
	shows(t, shown, "A1", `data-call="Passports A1 1"`)
	hides(t, shown, "4711", "Mari", "3725550")
}

// Nobody needs a key for a board, so it must not cost more than what it shows: a queue may hold thousands who wait.
func TestABoardAsksForNobodyWhoWaits(t *testing.T) {
	t.Parallel()
	var asked []string
	d := New(Config{REST: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		if r.URL.Path == "/v1/queues" {
			fmt.Fprint(w, `{"items":[{"source":"city","queue":"1","waiting":9000,"called":1},{"source":"city","queue":"2","waiting":9000}]}`)
			return
		}
		// It is called to the desk between the two questions.
		fmt.Fprint(w, `{"items":[{"ticket":"7","label":"A7","status":"`+r.URL.Query().Get("status")+`"}]}`)
	})})
	v, err := d.see(t.Context(), page{load: d.board, public: true}, input{path: map[string]string{"source": "city"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "/v1/queues?source=city /v1/queues/city/1/tickets?status=called /v1/queues/city/1/tickets?status=serving"
	if got := strings.Join(asked, " "); got != want {
		t.Errorf("it asked for\n%s, want\n%s", got, want)
	}
	if p, _ := v.Data.(boardPage); len(p.Calls) != 1 {
		t.Errorf("it shows %d calls, want 1", len(p.Calls))
	}
}

// Whoever comes while a page is looked at gets what is seen then: all visitors of a board, and of any page all who watch it.
func TestACrowdSharesOneLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		answer := make(chan struct{})
		d := New(Config{REST: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			<-answer
			fmt.Fprint(w, queuesOf(3))
		})})
		router := chi.NewRouter()
		d.MountPublic(router)
		d.Mount(router)
		ctx, leave := context.WithCancel(t.Context())
		var crowd sync.WaitGroup
		come := func(path, accept string) {
			crowd.Go(func() {
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
				r.Header.Set("Accept", accept)
				w := httptest.NewRecorder()
				if router.ServeHTTP(w, r); w.Code != http.StatusOK {
					t.Errorf("%s as %s: %d %s", path, accept, w.Code, w.Body)
				}
			})
		}
		for i := range 20 {
			come(fmt.Sprintf("/board/city?x=%d", i), "text/html")
			come("/board/city", eventStream)
			come("/projections", eventStream)
		}
		synctest.Wait()
		if n := asked.Load(); n != 2 {
			t.Errorf("the API was asked %d times for two pages", n)
		}
		close(answer)
		synctest.Wait()
		leave()
		d.end()
		crowd.Wait()
	})
}

// One visitor can't keep all others from watching.
func TestOneNetworkHasHalfOfThePublicPlaces(t *testing.T) {
	t.Parallel()
	p := newPlaces(4, 2)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	leave, err := p.take(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.take(r); err != nil {
		t.Fatal(err)
	}
	if _, err := p.take(r); err == nil || !strings.Contains(err.Error(), "your network") {
		t.Errorf("a third place: %v", err)
	}
	leave()
	if _, err := p.take(r); err != nil {
		t.Errorf("a place that was given back: %v", err)
	}
}

// A HEAD is answered, and then over: nothing can be sent to it.
func TestAHeadWatchesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/board/city", nil)
	r.Host = "localhost"
	r.Header.Set("Accept", eventStream)
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	if out.Code != http.StatusOK || w.dashboard.publicPlaces.taken != 0 {
		t.Errorf("answered %d, %d places are taken", out.Code, w.dashboard.publicPlaces.taken)
	}
}
