package projection

import "context"

// ahead is the page that is folded while the one before it is written: so the processor and the database work at the same
// time. Used by one goroutine; nil folds nothing ahead.
type ahead struct {
	ctx  context.Context //nolint:containedctx // of the goroutine that folds, which outlives the call that begins it
	stop context.CancelFunc
	page chan folded // nil: none
}

type folded struct {
	page page
	err  error
}

// newAhead returns one whose work ends with ctx at the latest; end it.
func newAhead(ctx context.Context) *ahead { return &ahead{ctx: ctx} }

// begin begins to fold the next page.
func (a *ahead) begin(fold func(context.Context) (page, error)) {
	if a == nil {
		return
	}
	ctx, stop := context.WithCancel(a.ctx)
	done := make(chan folded, 1)
	a.stop, a.page = stop, done
	go func() {
		p, err := fold(ctx)
		done <- folded{p, err}
	}()
}

// begun reports whether there is a next page.
func (a *ahead) begun() bool { return a.page != nil }

// take returns the page that was begun; without one it folds now.
func (a *ahead) take(ctx context.Context, fold func() (page, error)) (page, error) {
	if a == nil || a.page == nil {
		return fold()
	}
	defer a.drop()
	select {
	case f := <-a.page:
		a.page = nil
		return f.page, f.err
	case <-ctx.Done():
		return page{}, ctx.Err()
	}
}

// drop gives up what was begun: what it was folded onto did not come to be. It waits for its end.
func (a *ahead) drop() {
	if a == nil || a.stop == nil {
		return
	}
	a.stop()
	if a.page != nil {
		<-a.page
	}
	a.stop, a.page = nil, nil
}
