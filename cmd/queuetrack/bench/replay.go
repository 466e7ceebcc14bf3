package bench

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Recorded are real tickets: who came when to which queue of which office, and when they were called.
type Recorded struct {
	tickets []recorded
}

type recorded struct {
	office, queue string
	id            int // from 1, in the order of the file
	issued        time.Time
	called        time.Time
}

// ReadRecorded reads a CSV with the columns office, queue_id, issued_at and called_at (local times without a zone, as
// 2020-01-02T08:05:12) among others; gzipped, if its name ends in .gz.
func ReadRecorded(name string, zone *time.Location) (r *Recorded, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read recorded tickets: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	var in io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			return nil, fmt.Errorf("read recorded tickets: %s: %w", name, err)
		}
	}
	r, err = readRecorded(csv.NewReader(in), zone)
	if err != nil {
		return nil, fmt.Errorf("read recorded tickets: %s: %w", name, err)
	}
	return r, nil
}

func readRecorded(in *csv.Reader, zone *time.Location) (*Recorded, error) {
	header, err := in.Read()
	if err != nil {
		return nil, err
	}
	var at [4]int
	for i, name := range []string{"office", "queue_id", "issued_at", "called_at"} {
		if at[i] = slices.Index(header, name); at[i] < 0 {
			return nil, fmt.Errorf("it has no column %s", name)
		}
	}
	var r Recorded
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		t := recorded{office: row[at[0]], queue: row[at[1]], id: len(r.tickets) + 1}
		if _, err := strconv.ParseInt(t.queue, 10, 64); err != nil {
			return nil, fmt.Errorf("queue_id %q is no number", t.queue)
		}
		if t.issued, err = time.ParseInLocation("2006-01-02T15:04:05", row[at[2]], zone); err == nil {
			t.called, err = time.ParseInLocation("2006-01-02T15:04:05", row[at[3]], zone)
		}
		if err != nil {
			return nil, err
		}
		r.tickets = append(r.tickets, t)
	}
	if len(r.tickets) == 0 {
		return nil, errors.New("it has no tickets")
	}
	return &r, nil
}

// Tickets is how many there are.
func (r *Recorded) Tickets() int { return len(r.tickets) }

// Sources are the offices, as sources are called.
func (r *Recorded) Sources() []string {
	var names []string
	for _, t := range r.tickets {
		names = append(names, t.source())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// source is the office in the letters that a source's name may have.
func (t recorded) source() string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, strings.ToLower(t.office[:min(len(t.office), 40)]))
}

// Days are the first midnight, the one that the second half of the days on which tickets were issued begins with, and
// the one after the last day.
func (r *Recorded) Days(zone *time.Location) (first, half, end time.Time) {
	var days []time.Time
	for _, t := range r.tickets {
		y, m, d := t.issued.In(zone).Date()
		days = append(days, time.Date(y, m, d, 0, 0, 0, 0, zone))
	}
	slices.SortFunc(days, time.Time.Compare)
	days = slices.CompactFunc(days, time.Time.Equal)
	return days[0], days[len(days)/2], days[len(days)-1].AddDate(0, 0, 1)
}

// Replay posts two deliveries a ticket, as Qminder sends them, signed: each office's over a connection of its own, in
// the order in which they happened. sent is called after each, by several goroutines.
func (r *Recorded) Replay(ctx context.Context, host string, sign func([]byte) http.Header, sent func()) error {
	offices := map[string][]recordedStep{}
	for _, t := range r.tickets {
		offices[t.source()] = append(offices[t.source()], recordedStep{t, t.issued, false}, recordedStep{t, t.called, true})
	}
	group, ctx := errgroup.WithContext(ctx)
	for name, steps := range offices {
		slices.SortFunc(steps, func(a, b recordedStep) int {
			return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.id, b.id))
		})
		group.Go(func() error { return replay(ctx, host, name, sign, steps, sent) })
	}
	return group.Wait()
}

// recordedStep is a ticket being issued or called.
type recordedStep struct {
	recorded
	at     time.Time
	called bool
}

// rank puts issuing before calling where both happened at one instant.
func (s recordedStep) rank() int {
	if s.called {
		return 1
	}
	return 0
}

// replayTime is how long one office's deliveries may take.
const replayTime = 10 * time.Minute

func replay(ctx context.Context, host, name string, sign func([]byte) http.Header, steps []recordedStep, sent func()) error {
	door, err := openWebhook(ctx, host, "/webhooks/"+name, sign, nil, replayTime)
	if err != nil {
		return err
	}
	defer door.close()
	for _, s := range steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := door.post(s.body()); err != nil {
			return fmt.Errorf("replay %s: %w", name, err)
		}
		sent()
	}
	return nil
}

func (s recordedStep) body() []byte {
	typ, status, call := "ticket_created", "NEW", ""
	if s.called {
		typ, status = "ticket_called", "CALLED"
		call = fmt.Sprintf(`,"called":{"date":%q,"caller":1}`, s.recorded.called.UTC().Format(time.RFC3339))
	}
	return fmt.Appendf(nil, `{"type":%q,"data":{"id":"%d","status":%q,"source":"NAME","line":%s,"created":{"date":%q}%s}}`,
		typ, s.id, status, s.queue, s.issued.UTC().Format(time.RFC3339), call)
}
