package dashboard

import (
	"context"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"queuetrack/api"
)

// projectionsPath is the page that all of this comes from and goes back to.
const projectionsPath = "/projections"

// mountForms adds what the pages have done. What can't be taken back, or changes what everybody sees, asks first: on a page
// of its own, which works without scripts and does nothing itself.
func (d *Dashboard) mountForms(r chi.Router) {
	d.page(r, "/tickets/{source}/{ticket}/close", page{load: d.closeAsk})
	d.form(r, "/tickets/{source}/{ticket}/close", closeForm())
	d.page(r, projectionsPath+"/rebuild", page{load: rebuildAsk})
	d.form(r, projectionsPath+"/rebuild", form{do: rebuild})
	d.form(r, "/dead-letters/{source}/{position}/retry", form{do: retryLetter})
	d.page(r, "/dead-letters/{source}/{position}/dismiss", page{load: dismissAsk})
	d.form(r, "/dead-letters/{source}/{position}/dismiss", form{do: dismissLetter})
	d.form(r, "/quarantine/{source}/{position}/retry", form{do: retryHeld})
}

// question is what is asked before something is done.
type question struct{ Title, Text, Action, Button, Back string }

func (q question) view() view {
	return view{Title: q.Title, Section: "projections", Template: "question", Data: q}
}

// rebuildAsk asks before a generation is gone back to, or dropped.
func rebuildAsk(_ context.Context, in input, _ *rest) (view, error) {
	q := question{Action: in.query.Get("action"), Back: projectionsPath}
	switch q.Action {
	case "rebuild":
		q.Title, q.Button = "Rebuild the read models?", "Rebuild"
		q.Text = "The log is folded anew, beside what readers see. What serves goes on serving until the new generation is as far, and then stays for a rollback."
	case "rollback":
		q.Title, q.Button = "Go back to the generation before?", "Go back"
		q.Text = "Everybody then sees what the generation before makes of the log. What it has missed is folded first. What serves now stays, for going forward again."
	case "discard":
		q.Title, q.Button = "Drop the interrupted rebuild?", "Drop it"
		q.Text = "What it has filled so far is lost, and the next rebuild begins anew. What serves is not touched."
	default:
		return view{}, api.NewProblem(api.KindNotFound, "There is nothing to ask about at this address. Begin from the page of the projections.")
	}
	return q.view(), nil
}

// dismissAsk asks before an event is given up.
func dismissAsk(ctx context.Context, in input, ask *rest) (view, error) {
	var l deadLetter
	if err := ask.get(ctx, address(nil, "v1", "dead-letters", in.path["source"], in.path["position"]), 0, &l); err != nil {
		return view{}, err
	}
	return question{
		Title: "Give up position " + strconv.FormatInt(l.Position, 10) + " of " + l.Source + "?", Button: "Dismiss it", Back: projectionsPath,
		Text: "This is final. The log keeps the event, but no rebuild folds it either. Its ticket goes on with what waits behind it. It could not be folded because: " + l.Cause,
	}.view(), nil
}

func rebuild(ctx context.Context, _ input, sent url.Values, ask *rest) (string, error) {
	action := sent.Get("action")
	switch action {
	case "rebuild", "rollback", "discard":
	default: // an empty one would mean a rebuild to the API
		return projectionsPath, api.NewProblem(api.KindInvalidRequest, "The form says not what to do. Send it from the page of the projections.")
	}
	var begun rebuildState
	err := ask.post(ctx, "/v1/projections/rebuild", map[string]string{"action": action}, &begun)
	return doneUnless(err, action)
}

func doneUnless(err error, key string) (string, error) {
	if err != nil {
		return projectionsPath, err
	}
	return done(projectionsPath, key), nil
}

// revived is what came of a dead letter.
type revived struct {
	Stands *struct {
		Position int64 `json:"position"`
	} `json:"stands"`
}

func retryLetter(ctx context.Context, in input, _ url.Values, ask *rest) (string, error) {
	var came revived
	err := ask.post(ctx, address(nil, "v1", "dead-letters", in.path["source"], in.path["position"], "retry"), nil, &came)
	if came.Stands != nil {
		return doneUnless(err, "stands")
	}
	return doneUnless(err, "folded")
}

func dismissLetter(ctx context.Context, in input, _ url.Values, ask *rest) (string, error) {
	var came revived
	err := ask.post(ctx, address(nil, "v1", "dead-letters", in.path["source"], in.path["position"], "dismiss"), nil, &came)
	if came.Stands != nil {
		return doneUnless(err, "dismissed-stands")
	}
	return doneUnless(err, "dismissed")
}

func retryHeld(ctx context.Context, in input, _ url.Values, ask *rest) (string, error) {
	var appended struct {
		Position int64 `json:"position"`
	}
	err := ask.post(ctx, address(nil, "v1", "quarantine", in.path["source"], in.path["position"], "retry"), nil, &appended)
	return doneUnless(err, "retried")
}
