package archive

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"queuetrack/eventstore"
)

// Phase is what an import is doing.
type Phase string

// The phases.
const (
	PhaseCheck Phase = "checking" // nothing is written yet
	PhaseWrite Phase = "writing"
)

// Imported is what became of a source.
type Imported struct {
	Span
	Written int64 // the others were there already
}

// errChanged means that somebody wrote to the file between the passes.
var errChanged = errors.New("the file is no longer the one that was checked")

// Import puts an archive back into the log. It reads the file twice: the first time to the end, writing nothing, so that
// what is no archive, or no continuation of the log, is refused whole; the second time it writes, batch by batch, each
// under the lock that appends take. An error in the second pass leaves the log whole up to some position, and the same
// file can be imported again. What was written is returned in either case. tell is called after each batch with how many
// bytes of the file are done.
func Import(ctx context.Context, log *eventstore.Log, file io.ReadSeeker, tell func(phase Phase, done int64)) ([]Imported, error) {
	im := &importing{log: log, file: file, tell: tell, seed: maphash.MakeSeed()}
	marks, err := im.check(ctx)
	if err != nil {
		return nil, err
	}
	err = im.write(ctx, marks)
	return im.done, err
}

type importing struct {
	log  *eventstore.Log
	file io.ReadSeeker
	tell func(Phase, int64)
	seed maphash.Seed

	tails map[string]int64 // up to where the log was checked
	done  []Imported
}

// check goes through the whole file, and returns a mark for each batch. It looks at what the log holds only as far as the
// log went in the beginning: what is appended meanwhile, Restore finds.
func (im *importing) check(ctx context.Context) (marks []uint64, err error) {
	if im.tails, err = im.log.Tails(ctx); err != nil {
		return nil, err
	}
	k, u := &known{log: im.log, tails: im.tails}, &unique{seed: im.seed}
	defer k.end()
	begin := func(r *Reader) error { return k.begin(ctx, r.After()) }
	err = im.pass(ctx, begin, func(b batch) error {
		for i := range b.events {
			if err := k.check(ctx, &b.events[i]); err != nil {
				return err
			}
			u.add(&b.events[i])
		}
		marks = append(marks, b.mark)
		im.tell(PhaseCheck, b.read)
		return nil
	})
	if err == nil && u.suspects() {
		err = im.pass(ctx, nil, func(b batch) error { return im.again(u, b) })
	}
	return marks, err
}

func (im *importing) again(u *unique, b batch) error {
	for i := range b.events {
		if err := u.again(&b.events[i]); err != nil {
			return err
		}
	}
	return nil
}

// write goes through the file once more, and writes each batch that is still the one that was checked.
func (im *importing) write(ctx context.Context, marks []uint64) error {
	err := im.pass(ctx, nil, func(b batch) error {
		if len(marks) == 0 || b.mark != marks[0] {
			return errChanged
		}
		marks = marks[1:]
		n, err := im.restore(ctx, b.events)
		if err != nil {
			return err
		}
		im.note(b, int64(n))
		im.tell(PhaseWrite, b.read)
		return nil
	})
	if err == nil && len(marks) > 0 {
		err = errChanged
	}
	return err
}

// restore writes what the log did not hold when it was checked.
func (im *importing) restore(ctx context.Context, events []eventstore.Event) (int, error) {
	if last := events[len(events)-1]; last.Position <= im.tails[last.Source] {
		return 0, nil
	}
	return im.log.Restore(ctx, events[0].Source, events)
}

// note counts what was done.
func (im *importing) note(b batch, written int64) {
	first, last := b.events[0], b.events[len(b.events)-1]
	if n := len(im.done); n == 0 || im.done[n-1].Source != first.Source {
		im.done = append(im.done, Imported{Span: Span{Source: first.Source, First: first.Position}})
	}
	im.done[len(im.done)-1].Last = last.Position
	im.done[len(im.done)-1].Written += written
}

// pass reads the file from its beginning, batch by batch. begin sees what the header says.
func (im *importing) pass(ctx context.Context, begin func(*Reader) error, each func(batch) error) error {
	if _, err := im.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	r, err := NewReader(im.file)
	if err != nil {
		return err
	}
	if begin != nil {
		if err := begin(r); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	batches := r.batches(ctx, im.seed)
	defer func() {
		stop()
		for range batches { // its reader ends before we do
		}
	}()
	for b := range batches {
		if b.err != nil {
			return b.err
		}
		if err := each(b); err != nil {
			return err
		}
	}
	return ctx.Err()
}
