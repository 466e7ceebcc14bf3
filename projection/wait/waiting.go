package wait

import (
	"time"

	"github.com/jackc/pgx/v5"
)

// near is how long most waits are, at most: index wait_segment_{set}_long has the others, by steps.
const near = time.Hour

// longer are the steps: a wait in step k is shorter than the k-th, in the last step of any length.
var longer = []time.Duration{4 * time.Hour, 16 * time.Hour, 64 * time.Hour, 256 * time.Hour, 1024 * time.Hour, 4096 * time.Hour, 16384 * time.Hour}

// waiting are the segments that entered in [@begin, @end) or waited at some time in it, and their times on hold, in the
// order of time; both are over "until" (null: they last). At one second holds begin before people come; and who is on
// hold from the first second is so before the next one comes. People come in the order of their tickets.
//
// Those that entered before @begin are found by the length of their wait, so that a look at any time costs what it finds.
func (p period) waiting() string {
	columns := p.laneColumns()
	segments := `
			SELECT s.source, s.queue, s.ticket, s.n, s.desk, s.agent, s.outcome, s.` + p.instant() + ` AS placed_at,
				s.entered_at AS at, coalesce(s.called_at, s.left_at) AS until, false AS hold, false AS earlier
			FROM wait_segment_{set} AS s`
	return `
		SELECT ` + list(p.placedKey(), columns, laneColumn.computed) + `, s.source, s.queue,
			extract(epoch FROM s.at)::bigint, extract(epoch FROM s.until)::bigint, s.hold, s.outcome = 'abandoned'
		FROM (` + segments + `
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
			UNION ALL
			SELECT s.source, s.queue, s.ticket, s.n, '', '', '', NULL, h.from_at, h.to_at, true, h.from_at > s.entered_at
			FROM wait_hold_{set} AS h
			JOIN wait_segment_{set} AS s ON s.source = h.source AND s.ticket = h.ticket AND s.n = h.segment
			WHERE ` + p.filter() + `
				AND h.source = ANY(@sources::text[])
				AND h.from_at < @end
				AND (h.to_at IS NULL OR h.to_at > @begin)
		) AS s` + p.join() + `
		ORDER BY s.at, s.earlier DESC, s.ticket, s.n, s.hold`
}

// placedKey is the key of a segment that is placed in the window.
func (p period) placedKey() string {
	if !p.DropOff { // nobody asks
		return `-1`
	}
	return `CASE WHEN s.placed_at >= @from AND s.placed_at < @to THEN ` + p.key(`s.placed_at`) + ` ELSE -1 END`
}

// waitingArgs are the arguments of waiting.
func waitingArgs(begin, end time.Time) pgx.NamedArgs {
	lows := make([]time.Time, 0, len(longer)+1)
	for _, most := range longer {
		lows = append(lows, begin.Add(-most))
	}
	return pgx.NamedArgs{"begin": begin, "end": end, "near": begin.Add(-near), "longer": append(lows, time.Time{})}
}
