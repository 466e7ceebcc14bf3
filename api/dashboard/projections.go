package dashboard

import (
	"context"
	"slices"
	"strconv"
	"time"
)

const (
	// rebuildAge is how old may be what a rebuild is at, on a page that is watched.
	rebuildAge = 500 * time.Millisecond
	// heldRows bounds the dead letters and the quarantined deliveries that are shown, each.
	heldRows = 100
)

// projectionsPage is how far the read models are, and what a person has to look at.
type projectionsPage struct {
	Notice  string
	Rebuild rebuildView
	Shards  []shardView
	Letters []letterView
	More    bool // dead letters that are not shown
	Held    []heldView
	MoreHeld,
	Retried int
}

// rebuildView is a rebuild with what may be done about it.
type rebuildView struct {
	rebuildState
	Started, Ended             moment
	Zone                       string // of these
	CanBegin, CanRoll, CanDrop bool
}

// shardView is how far a source is folded in a generation.
type shardView struct {
	ID string
	shardState
	Verdict verdict
}

// letterView is a dead letter.
type letterView struct {
	ID string
	deadLetter
}

// Address is that of the event in the log.
func (l letterView) Address() string { return eventAddress(l.Source, l.Position) }

// Decimal is the position as a part of an address.
func (l letterView) Decimal() string { return strconv.FormatInt(l.Position, 10) }

// heldView is a quarantined delivery that nobody has retried yet.
type heldView struct {
	ID string
	heldDelivery
	Received moment
	Zone     string // of this
}

// Address is that of the event in the log.
func (h heldView) Address() string { return eventAddress(h.Source, h.Position) }

// Decimal is the position as a part of an address.
func (h heldView) Decimal() string { return strconv.FormatInt(h.Position, 10) }

func (d *Dashboard) projections(ctx context.Context, in input, ask *rest) (view, error) {
	p := projectionsPage{Notice: noticeOf(in.query)}
	zones, err := d.zonesOf(ctx, ask)
	if err != nil {
		return view{}, err
	}
	if err := p.addShards(ctx, ask); err != nil {
		return view{}, err
	}
	if err := ask.get(ctx, "/v1/projections/rebuild", rebuildAge, &p.Rebuild.rebuildState); err != nil {
		return view{}, err
	}
	p.Rebuild.offer(p.Shards, times{d.cfg.Now(), commonZone(zones)})
	if err := p.addLetters(ctx, ask); err != nil {
		return view{}, err
	}
	if err := p.addHeld(ctx, ask, zones); err != nil {
		return view{}, err
	}
	return view{Title: "Projections", Section: "projections", Template: "projections", Data: p}, nil
}

// zonesOf are the clocks of the sources.
func (d *Dashboard) zonesOf(ctx context.Context, ask *rest) (map[string]times, error) {
	sources, err := sourcesOf(ctx, ask)
	zones := make(map[string]times, len(sources))
	for _, s := range sources {
		zones[s.Source] = times{d.cfg.Now(), s.zone()}
	}
	return zones, err
}

// commonZone is where all sources are; UTC when they are in several places.
func commonZone(zones map[string]times) *time.Location {
	var common *time.Location
	for _, t := range zones {
		if common != nil && common.String() != t.zone.String() {
			return time.UTC
		}
		common = t.zone
	}
	if common == nil {
		return time.UTC
	}
	return common
}

func (p *projectionsPage) addShards(ctx context.Context, ask *rest) error {
	var state projectionState
	if err := ask.get(ctx, "/v1/projections", rebuildAge, &state); err != nil {
		return err
	}
	for _, s := range state.Items {
		p.Shards = append(p.Shards, shardView{ID: "shard-" + strconv.Itoa(s.Generation) + "-" + s.Source, shardState: s, Verdict: shardVerdict(s)})
	}
	return nil
}

// offer says what can be done as things are; the API decides when it is asked to.
func (v *rebuildView) offer(shards []shardView, clocks times) {
	v.Zone = clocks.Zone()
	v.Started, v.Ended = clocks.Full(v.StartedAt), clocks.Full(v.EndedAt)
	has := func(state string) bool {
		return slices.ContainsFunc(shards, func(s shardView) bool { return s.State == state })
	}
	idle := v.State != "running"
	v.CanBegin, v.CanRoll, v.CanDrop = idle, idle && has("previous"), idle && has("building")
}

func (p *projectionsPage) addLetters(ctx context.Context, ask *rest) error {
	var letters list[deadLetter]
	if err := ask.get(ctx, "/v1/dead-letters?limit="+strconv.Itoa(heldRows), healthAge, &letters); err != nil {
		return err
	}
	p.More = letters.Next != ""
	for _, l := range letters.Items {
		p.Letters = append(p.Letters, letterView{"letter-" + l.Source + "-" + strconv.FormatInt(l.Position, 10), l})
	}
	return nil
}

// addHeld adds what is quarantined and was not retried yet.
func (p *projectionsPage) addHeld(ctx context.Context, ask *rest, zones map[string]times) error {
	var held list[heldDelivery]
	if err := ask.get(ctx, "/v1/quarantine?limit="+strconv.Itoa(findLimit), healthAge, &held); err != nil {
		return err
	}
	for _, h := range held.Items {
		switch {
		case h.RetriedAs != nil:
			p.Retried++
		case len(p.Held) == heldRows:
			p.MoreHeld++
		default:
			clocks, known := zones[h.Source]
			if !known { // configured a moment ago
				clocks.zone = time.UTC
			}
			p.Held = append(p.Held, heldView{
				ID: "held-" + h.Source + "-" + strconv.FormatInt(h.Position, 10), heldDelivery: h,
				Received: clocks.Full(h.ReceivedAt), Zone: clocks.Zone(),
			})
		}
	}
	if held.Next != "" {
		p.MoreHeld++
	}
	return nil
}
