package ingest

import (
	"context"
	"errors"
	"fmt"

	"queuetrack/api"
	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

// Archive is what a retry needs of the event log. Held returns a quarantined event with its body, else
// eventstore.ErrNoEvent or ErrNotQuarantined. Append refuses what repeats a position that another event repeats.
type Archive interface {
	Held(ctx context.Context, source string, position int64) (eventstore.Held, error)
	Append(ctx context.Context, source string, d eventstore.Delivery) (eventstore.Receipt, error)
}

// Retrier takes deliveries out of the quarantine: the door's second look at what it kept aside. Safe for concurrent
// use, also by many processes.
type Retrier struct {
	log     Archive
	sources map[string]source.Source
}

// NewRetrier returns the retrier of the sources' quarantine. The sources must not change afterwards.
func NewRetrier(log Archive, sources map[string]source.Source) *Retrier {
	return &Retrier{log: log, sources: sources}
}

// Retry appends a quarantined delivery anew, if the adapter can use it by now, and returns its new position. A replay
// can always be used: whoever retries one has decided that it is genuine. The delivery keeps the time of its receipt,
// which stands in where the vendor gives none, and the name of the secret that verified it.
//
// What can't be retried is an *[api.Problem]: no such source or event, an event that isn't quarantined, was retried
// already, or still can't be used. Nothing was appended then. With api.KindBusy it may have been, if the log's answer
// was lost: another try tells.
func (r *Retrier) Retry(ctx context.Context, name string, position int64) (int64, error) {
	src, known := r.sources[name]
	if !known {
		return 0, api.NewProblem(api.KindUnknownSource, fmt.Sprintf("There is no source %q in the configuration.", name))
	}
	held, err := r.held(ctx, name, position)
	if err != nil {
		return 0, err
	}
	id := identify(src, held.Body)
	switch {
	case id.Quarantine != "":
		return 0, api.NewProblem(api.KindStillUnusable, fmt.Sprintf("Position %d of %s still can't be used: %s. Mend the adapter or the configuration first.", position, name, id.Quarantine))
	case id.Ping:
		return 0, api.NewProblem(api.KindStillUnusable, fmt.Sprintf("Position %d of %s is a registration test: it tells of nothing.", position, name))
	}
	return r.append(ctx, held, id)
}

// held returns what was quarantined and not yet retried.
func (r *Retrier) held(ctx context.Context, name string, position int64) (eventstore.Held, error) {
	held, err := r.log.Held(ctx, name, position)
	switch {
	case errors.Is(err, eventstore.ErrNoEvent):
		return held, api.NewProblem(api.KindUnknownEvent, fmt.Sprintf("The log of %s has no position %d. Positions run from 1 to the tail that GET /v1/sources tells.", name, position))
	case errors.Is(err, eventstore.ErrNotQuarantined):
		return held, api.NewProblem(api.KindNotQuarantined, fmt.Sprintf("Position %d of %s is not quarantined: it is folded like any other, and needs no retry.", position, name))
	case err != nil:
		return held, err
	case held.RetriedAs > 0:
		return held, alreadyRetried(held)
	}
	return held, nil
}

func alreadyRetried(held eventstore.Held) error {
	return api.NewProblem(api.KindAlreadyRetried,
		fmt.Sprintf("Position %d of %s was retried already, and appended anew at position %d.", held.Position, held.Source, held.RetriedAs))
}

// append puts the delivery into the log by what its adapter now reads. Where another retry came first, the log refuses
// it, and holds the answer.
func (r *Retrier) append(ctx context.Context, held eventstore.Held, id source.Identity) (int64, error) {
	receipt, err := r.log.Append(ctx, held.Source, eventstore.Delivery{
		Ticket:     id.Ticket,
		Type:       id.Type,
		EventKey:   id.EventKey,
		OccurredAt: id.OccurredAt,
		ReceivedAt: held.ReceivedAt,
		Body:       held.Body,
		VerifiedBy: held.VerifiedBy,
		RepeatOf:   held.Position,
	})
	if err == nil {
		return receipt.Position, nil
	}
	if !errors.Is(err, eventstore.ErrBusy) {
		if now, lookErr := r.log.Held(ctx, held.Source, held.Position); lookErr == nil && now.RetriedAs > 0 {
			return 0, alreadyRetried(now)
		}
	}
	return 0, fmt.Errorf("retry position %d: %w", held.Position, err)
}
