package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// scrape answers /metrics with one collector of silence.
func scrape(t *testing.T, received func(context.Context) (map[string]time.Time, error), now time.Time) *httptest.ResponseRecorder {
	t.Helper()
	reg := NewRegistry()
	after := map[string]time.Duration{"city": 30 * time.Minute, "store": 30 * time.Minute, "new": time.Hour}
	reg.MustRegister(NewSilenceCollector(received, after, func() time.Time { return now }))
	w := httptest.NewRecorder()
	MetricsHandler(reg).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, MetricsPath, nil))
	return w
}

func TestMetricsHaveTheSilence(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	w := scrape(t, func(context.Context) (map[string]time.Time, error) {
		return map[string]time.Time{
			"city": noon.Add(-30 * time.Minute), "store": noon.Add(-30*time.Minute - time.Second), "new": {}, "crm": noon.Add(-24 * time.Hour),
		}, nil
	}, noon)
	for _, want := range []string{
		`queuetrack_source_silent{source="city"} 0`,
		`queuetrack_source_silent{source="store"} 1`,
		`queuetrack_source_silent{source="new"} 1`,
		`queuetrack_source_last_received_timestamp_seconds{source="city"} 1.7`,
		`queuetrack_source_last_received_timestamp_seconds{source="crm"}`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in the metrics", want)
		}
	}
	for _, unwanted := range []string{`silent{source="crm"}`, `last_received_timestamp_seconds{source="new"}`} {
		if strings.Contains(w.Body.String(), unwanted) {
			t.Errorf("%q in the metrics", unwanted)
		}
	}
}

// The database is away, or says nothing at all: the scrape has everything else, soon.
func TestMetricsComeWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	for name, received := range map[string]func(context.Context) (map[string]time.Time, error){
		"away": func(context.Context) (map[string]time.Time, error) { return nil, errors.New("connection refused") },
		"hangs": func(ctx context.Context) (map[string]time.Time, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			w := scrape(t, received, began)
			if took := time.Since(began); took > CheckTimeout {
				t.Errorf("%s: the scrape took %s", name, took)
			}
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "go_goroutines") || strings.Contains(w.Body.String(), "queuetrack_source") {
				t.Errorf("%s: answer %d", name, w.Code)
			}
		})
	}
}
