package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"queuetrack/projection"
)

func (a *app) retryDeadLetter(ctx context.Context, p *parts, source string, position int64) error {
	o := p.operator(time.Now)
	done, err := o.RetryDeadLetter(ctx, source, position)
	if err == nil {
		done, err = o.goOn(ctx, source, done)
	}
	if err != nil {
		return legibleError(err)
	}
	fmt.Fprintln(a.stdout, revivedLine(done))
	return nil
}

func (a *app) dismissDeadLetter(ctx context.Context, p *parts, source string, position int64) error {
	o := p.operator(time.Now)
	done, err := o.DismissDeadLetter(ctx, source, position)
	if err != nil {
		return legibleError(err)
	}
	if done.Already {
		fmt.Fprintf(a.stdout, "position %d of %s was dismissed already\n", position, source)
		return nil
	}
	fmt.Fprintf(a.stdout, "dismissed position %d of %s\n", position, source)
	if done, err = o.goOn(ctx, source, done); err != nil {
		return legibleError(err)
	}
	fmt.Fprintln(a.stdout, revivedLine(done))
	return nil
}

// retryDeadLetters goes on behind what still can't be folded, and stops where something else goes wrong.
func (a *app) retryDeadLetters(ctx context.Context, p *parts, source string) error {
	var folded, left int64
	o := p.operator(time.Now)
	for l, err := range deadLetters().walk(ctx, p, source) {
		if err != nil {
			return err
		}
		done, err := o.RetryDeadLetter(ctx, source, l.Position)
		if err == nil {
			done, err = o.goOn(ctx, source, done)
		}
		var dead *projection.StillDeadError
		switch {
		case err == nil:
			folded += done.Folded
			fmt.Fprintf(a.stdout, "%d: %s\n", l.Position, revivedLine(done))
		case errors.As(err, &dead):
			left++
			fmt.Fprintf(a.stdout, "%d: %s\n", l.Position, oneLine(dead.Error()))
		case errors.Is(err, projection.ErrNotDead), errors.Is(err, projection.ErrDismissed): // by now, by somebody else
		default:
			return legibleError(err)
		}
	}
	fmt.Fprintf(a.stdout, "folded %s, left %s\n", counted(folded, "event"), counted(left, "dead letter"))
	return nil
}

// goOn retries what was left for lack of time: a person at the terminal may wait, and can interrupt.
func (o operator) goOn(ctx context.Context, source string, done projection.Retried) (projection.Retried, error) {
	for done.Unfinished {
		more, err := o.RetryDeadLetter(ctx, source, done.Stands)
		var dead *projection.StillDeadError
		if errors.As(err, &dead) {
			done.Cause, done.Unfinished = dead.Cause, false
			return done, nil
		}
		if err != nil {
			return done, err
		}
		more.Folded += done.Folded
		done = more
	}
	return done, nil
}

func revivedLine(done projection.Retried) string {
	line := "folded " + counted(done.Folded, "event")
	if done.Stands != 0 {
		line += fmt.Sprintf("; the ticket stands at position %d now: %s", done.Stands, oneLine(done.Cause))
	}
	return line
}

// legibleError has a cause in it, which may be a sender's words.
func legibleError(err error) error { return errors.New(oneLine(err.Error())) }
