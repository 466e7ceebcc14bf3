package query

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"queuetrack/api"
	"queuetrack/api/render"
	"queuetrack/projection"
	"queuetrack/projection/wait"
)

// streamTimeout bounds a report that is told item by item, and with it how long it keeps a snapshot. Each of its
// statements has the timeout of any report, and the client some seconds for each piece.
const streamTimeout = 10 * time.Minute

// StreamWaits computes a wait report of up to [wait.MaxStreamed] items and writes it as CSV, item by item, in constant
// memory. Nothing is written before it is known that there is an answer; what is wrong with the query comes back as an
// *[queuetrack/api.Problem]. After another error, what was written is not whole.
func (d *Door) StreamWaits(ctx context.Context, q WaitsQuery, w io.Writer) error {
	request, about, err := d.askedWaits(q, Least{})
	if err != nil {
		return err
	}
	return d.answer(ctx, about, func(v *projection.View) error {
		return d.streamIn(ctx, v, request, q, func() (io.Writer, error) { return w, nil })
	})
}

// streamIn writes a report's CSV to what begin returns, which is called once the first item is known, or that there is
// none.
func (d *Door) streamIn(ctx context.Context, v *projection.View, request wait.Request, q WaitsQuery, begin func() (io.Writer, error)) error {
	p, err := d.placed(ctx, v, request, q)
	if err != nil {
		return err
	}
	out := &waitsCSV{report: d.emptyWaits(v, p.Request), begin: begin}
	if !p.nothing {
		err = wait.Stream(ctx, v, p.Request, func(item wait.Item) error {
			p.name(out.report.Names, item)
			return out.write(item)
		})
	}
	if err != nil {
		return tooMuch(err, p.Request)
	}
	return out.end()
}

// streamWaits answers with CSV. The answer's bytes are made while they are sent; so whatever goes wrong before the first
// of them is a problem like any other, and after it the connection breaks off: nobody takes a half for the whole.
func (d *Door) streamWaits(q WaitsQuery, least Least) (*content, error) {
	request, about, err := d.askedWaits(q, least)
	if err != nil {
		return nil, err
	}
	return &content{Body: func(c huma.Context) {
		ctx, cancel := context.WithTimeout(c.Context(), streamTimeout)
		defer cancel()
		x, begun := exchangeOf(ctx), false
		begin := func() (io.Writer, error) {
			if x.known.any || x.known.has(x.tag) {
				return nil, errNotModified
			}
			begun = true
			tagged(c, x)
			c.SetHeader("Content-Type", "text/csv; charset=utf-8; header=present")
			c.SetHeader("Content-Disposition", `attachment; filename="waits.csv"`)
			c.SetStatus(http.StatusOK)
			return c.BodyWriter(), nil
		}
		err := d.answer(ctx, about, func(v *projection.View) error { return d.streamIn(ctx, v, request, q, begin) })
		switch {
		case err == nil:
		case begun:
			_ = api.Describe(ctx, err) // for the request's log line
			panic(http.ErrAbortHandler)
		case errors.Is(err, errNotModified):
			tagged(c, x)
			c.SetStatus(http.StatusNotModified)
		default:
			r, w := humachi.Unwrap(c)
			api.Fail(w, r, err)
		}
	}}, nil
}

// waitsCSV is a CSV that begins with its first item.
type waitsCSV struct {
	report render.Waits
	begin  func() (io.Writer, error)
	csv    *render.CSV
}

func (o *waitsCSV) open() error {
	if o.csv != nil {
		return nil
	}
	w, err := o.begin()
	if err != nil {
		return err
	}
	o.csv, err = o.report.NewCSV(w)
	return err
}

func (o *waitsCSV) write(item wait.Item) error {
	if err := o.open(); err != nil {
		return err
	}
	return o.csv.Write(item)
}

func (o *waitsCSV) end() error {
	if err := o.open(); err != nil {
		return err
	}
	return o.csv.Flush()
}
