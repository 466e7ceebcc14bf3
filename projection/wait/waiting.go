package wait

import (
	"time"

	"github.com/jackc/pgx/v5"
)

// near is how long most waits are, at most: index wait_segment_{set}_long has the others, by steps.
const near = time.Hour

// longer are the steps: a wait in step k is shorter than the k-th, in the last step of any length.
var longer = []time.Duration{4 * time.Hour, 16 * time.Hour, 64 * time.Hour, 256 * time.Hour, 1024 * time.Hour, 4096 * time.Hour, 16384 * time.Hour}

// waiting makes a table of the segments that entered in [@begin, @end) or waited at some time in it, with the columns
// asked for (of a segment s). A wait ends at "until"; null: it lasts. Those that entered before @begin are found by the
// length of their wait, so that a look at any time costs what it finds.
func (p period) waiting(columns string) string {
	segments := `
			SELECT s.source, s.queue, s.entered_at, coalesce(s.called_at, s.left_at) AS until` + columns + `
			FROM wait_segment_{set} AS s`
	return `waiting AS MATERIALIZED (` + segments + `
			WHERE ` + p.filter() + `
				AND s.entered_at >= @near
				AND s.entered_at < @end
				AND (s.entered_at >= @begin OR coalesce(s.called_at, s.left_at) IS NULL OR coalesce(s.called_at, s.left_at) > @begin)
			UNION ALL` + segments + `
			JOIN unnest(@longer::timestamptz[]) WITH ORDINALITY AS step (low, k)
				ON s.entered_at >= step.low AND step.k = width_bucket(coalesce(s.called_at, s.left_at) - s.entered_at,
					'{1 hour, 4 hours, 16 hours, 64 hours, 256 hours, 1024 hours, 4096 hours, 16384 hours}'::interval[])
			WHERE ` + p.filter() + `
				AND s.entered_at < @near
				AND coalesce(s.called_at, s.left_at) > @begin
				AND coalesce(s.called_at, s.left_at) - s.entered_at >= interval '1 hour'
			UNION ALL` + segments + `
			WHERE ` + p.filter() + `
				AND s.entered_at < @near
				AND s.called_at IS NULL
				AND s.left_at IS NULL
		),
		held AS ( -- the same people, not waiting for a while
			SELECT s.source, s.queue, s.ticket, s.n, s.entered_at, h.from_at, h.to_at
			FROM wait_hold_{set} AS h
			JOIN wait_segment_{set} AS s ON s.source = h.source AND s.ticket = h.ticket AND s.n = h.segment
			WHERE ` + p.filter() + `
				AND h.source = ANY(@sources::text[])
				AND h.from_at < @end
				AND (h.to_at IS NULL OR h.to_at > @begin)
		)`
}

// waitingArgs are the arguments of waiting.
func waitingArgs(begin, end time.Time) pgx.NamedArgs {
	lows := make([]time.Time, 0, len(longer)+1)
	for _, most := range longer {
		lows = append(lows, begin.Add(-most))
	}
	return pgx.NamedArgs{"begin": begin, "end": end, "near": begin.Add(-near), "longer": append(lows, time.Time{})}
}
