package query

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
	"queuetrack/projection"
)

// Rebuilds works on generations, beside everything else and one at a time.
type Rebuilds interface {
	// Begin returns when the task is under way, which no end of ctx ends then; a discard's, when it is done. Its errors
	// are those of [projection.Rebuilder].
	Begin(ctx context.Context, task projection.Task) error
}

const rebuildPath = "/v1/projections/rebuild"

// rebuilding is the last rebuild, rollback or discard on the wire. The names are those of `queuetrack rebuild --json`.
type rebuilding struct {
	State       string     `json:"state" enum:"none,running,interrupted,failed,done" doc:"none: there never was one. interrupted, failed: begun again, it goes on where it stopped."`
	Action      *string    `json:"action" enum:"rebuild,rollback,discard" doc:"What was asked for; null: nothing ever was."`
	Generation  *int       `json:"generation" minimum:"0" doc:"The one that is filled, gone back to or dropped; null: none."`
	Phase       *string    `json:"phase" enum:"clearing,filling,following,comparing,switching" doc:"Null once it is done."`
	Events      *int64     `json:"events" minimum:"0" doc:"Folded so far, of all sources. Null once it is done."`
	Total       *int64     `json:"total" minimum:"0" doc:"Events in the logs of all sources. Null once it is done."`
	Rate        *float64   `json:"events_per_second" minimum:"0" doc:"In this phase, a second ago at most. Null: nobody is at it."`
	LeftSeconds *float64   `json:"left_seconds" minimum:"0" doc:"Seconds that are left at this rate. Null: not known."`
	Owner       *string    `json:"owner" doc:"The process that is at it: host, process id and a random part. Null: none is."`
	StartedAt   *time.Time `json:"started_at" doc:"When a process began it, or went on with it, the last time. Null: there never was one."`
	EndedAt     *time.Time `json:"ended_at" doc:"When that one stopped. Null: it runs, or its process was killed."`
	Differing   *int64     `json:"differing_tickets" minimum:"0" doc:"Tickets that had another state than in the generation that served before. Null unless one was switched to."`
	Some        []string   `json:"differing" nullable:"false" doc:"A few of these, as SOURCE/TICKET."`
	Error       *string    `json:"error" doc:"What it failed for; null: it did not."`
}

func rebuildingOf(w projection.Work) rebuilding {
	r := rebuilding{State: string(w.State), Some: []string{}}
	if w.State == projection.WorkNone {
		return r
	}
	r.Action, r.Generation = optional(string(w.Task)), &w.Generation
	r.StartedAt, r.EndedAt = at(w.BeganAt), at(w.EndedAt)
	if w.State == projection.WorkDone {
		if w.Task != projection.TaskDiscard {
			r.Differing, r.Some = &w.Differences.Tickets, append(r.Some, w.Differences.Some...)
		}
		return r
	}
	r.Phase, r.Events, r.Total = optional(string(w.Phase)), &w.Events, &w.Total
	r.Owner, r.Error = optional(w.Owner), optional(w.Failure)
	if w.State == projection.WorkRunning {
		r.Rate = &w.Rate
	}
	if left := w.Left(); left > 0 {
		r.LeftSeconds = new(left.Seconds())
	}
	return r
}

func (d *Door) registerRebuilding(h huma.API) {
	get(d, h, operation{
		id: "get-rebuild", path: rebuildPath, tag: tagProjections,
		summary: "How far the rebuild is, or what became of the last one",
		details: "Of whichever process: this server, another one, or `queuetrack rebuild`. Numbers are counted at the request.",
	}, d.getRebuild)
}

func (d *Door) getRebuild(ctx context.Context, _ *struct{}) (rebuilding, error) {
	w, err := d.reader.Rebuilding(ctx)
	return rebuildingOf(w), err
}

// tasks are what a POST may ask for.
var tasks = []string{string(projection.TaskRebuild), string(projection.TaskRollback), string(projection.TaskDiscard)}

// begun is the answer to a POST.
type begun struct {
	Status int
	Body   rebuilding
}

func (d *Door) registerRebuild(h huma.API) {
	action := &huma.Schema{Type: huma.TypeString, Default: tasks[0], Description: "rollback: go back to the generation that served before. discard: drop what an interrupted rebuild has filled."}
	for _, t := range tasks {
		action.Enum = append(action.Enum, t)
	}
	body := record(nil)
	body.AdditionalProperties = false
	body.Properties["action"] = action
	register(d, h, operation{
		method: http.MethodPost, id: "rebuild", path: rebuildPath, tag: tagProjections,
		summary: "Fold the log anew, beside what readers see, and let them see the result",
		details: "In the background: 202 says that it is under way, and `GET " + rebuildPath + "` how far. What serves goes on serving until the new generation is as far. " +
			"One that was interrupted goes on where it stopped. A discard is done when it is answered, with 200.",
		body: &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: body}}},
		problems: withPostProblems(map[string]string{
			"409": "A rebuild is under way already, here or in another process (`detail` says where and how far); or it can't be done as things are, and `detail` says what to do about it. Nothing was begun.",
		}),
	}, d.rebuild, nil)
	op := h.OpenAPI().Paths[rebuildPath].Post
	op.Responses["202"] = answers(h.OpenAPI(), typeOf[rebuilding]())
	op.Responses["202"].Description = "It is under way."
	op.Responses["200"].Description = "It is done: a discard."
}

func (d *Door) rebuild(ctx context.Context, _ *struct{}) (*begun, error) {
	asked := struct {
		Action string `json:"action"`
	}{tasks[0]}
	if err := decodeBody(ctx, &asked, `{"action":"rebuild"}`); err != nil {
		return nil, err
	}
	if !slices.Contains(tasks, asked.Action) {
		return nil, wrongBody("/action", "action is "+quote(asked.Action)+"; it must be one of "+strings.Join(tasks, ", ")+".")
	}
	task := projection.Task(asked.Action)
	if err := d.cfg.Rebuilds.Begin(ctx, task); err != nil {
		return nil, d.notBegun(ctx, err)
	}
	answer := &begun{Status: http.StatusAccepted}
	if task == projection.TaskDiscard {
		answer.Status = http.StatusOK
	}
	var err error
	answer.Body, err = d.getRebuild(ctx, nil)
	return answer, err
}

// notBegun is the answer when a task could not be begun.
func (d *Door) notBegun(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, projection.ErrRebuilding):
		return d.underWay(ctx)
	case errors.Is(err, projection.ErrOtherFingerprint):
		return api.NewProblem(api.KindCannotRebuild, `An interrupted rebuild was begun by another version or with other settings, and going on would mix two folds. Drop it first: POST {"action":"discard"} here, or 'queuetrack rebuild --discard'.`)
	case errors.Is(err, projection.ErrUnconfigured):
		return api.NewProblem(api.KindCannotRebuild, "Nothing was begun: "+err.Error()+".")
	case errors.Is(err, projection.ErrInUse):
		return api.NewProblem(api.KindNotNow, "It stands still: "+err.Error()+".")
	case errors.Is(err, projection.ErrNoPrevious), errors.Is(err, projection.ErrNothingBuilding):
		return api.NewProblem(api.KindNoGeneration, "Nothing was begun: "+err.Error()+". GET /v1/projections shows the generations that there are.")
	}
	return err
}

// underWay says who is at it.
func (d *Door) underWay(ctx context.Context) error {
	w, err := d.reader.Rebuilding(ctx)
	if err != nil {
		return err
	}
	if w.State != projection.WorkRunning {
		return api.NewProblem(api.KindRebuilding, "One has just ended, or is about to begin. Look at GET "+rebuildPath+" and ask again.")
	}
	return api.NewProblem(api.KindRebuilding, w.Owner+" is at it: "+string(w.Task)+" of generation "+decimal(int64(w.Generation))+", "+string(w.Phase)+", "+
		decimal(w.Events)+" of "+decimal(w.Total)+" events. GET "+rebuildPath+" tells how it gets on.")
}
