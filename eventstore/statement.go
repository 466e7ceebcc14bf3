package eventstore

// The statements of an append, sent at once: under the lock no time passes but the database's own.
const (
	// READ COMMITTED, whatever the database's default is: each statement must see what was committed before it.
	beginAppend = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`

	// The limits turn a stuck lock or disk into ErrBusy. The others hold the plan of the statement below: made once
	// a connection, even when the log was still empty, it must go through the indexes for ever after.
	limitAppend = `
		SELECT set_config('lock_timeout', '2s', true),
		       set_config('statement_timeout', '5s', true),
		       set_config('plan_cache_mode', 'force_generic_plan', true),
		       set_config('enable_seqscan', 'off', true),
		       set_config('enable_bitmapscan', 'off', true),
		       set_config('jit', 'off', true)`

	lockHead = `
		SELECT h.source
		  FROM log_head AS h
		 WHERE h.source = $1
		   FOR NO KEY UPDATE`

	commitAppend = `COMMIT`
)

// appendEvents judges a batch and inserts what is new, in a statement of its own: its snapshot is younger than the
// lock, so it sees all that the last holder committed. Its verdicts are those of one delivery after the other
// (model_test.go is the same thing as a loop), and depend on nothing but the batch and the log before it.
//
// The look-ups are a probe each, never a join. `digest BETWEEN x AND x … ORDER BY digest` says `digest = x` in a way
// that only the index (source, digest, position) can answer without sorting, and IS NOT DISTINCT and coalesce keep the
// others out: on a log that was empty when the plan was made, all indexes look alike, and a walk through the whole
// source, or its quarantine, would do as well.
//
// Most deliveries are decided by the look-ups alone. The ladder of CTEs is for the tangled: it follows a ticket through
// the batch, when two of its bodies are equal, or one equals an event of the log. Its rungs:
//
//	live      can be the ticket's latest event: the vendor's, usable, about a ticket
//	aside     rests where ruleSeen looks: quarantined, or about no ticket
//	forced    appended and live, whatever the bodies are: by key, or always
//	stale     the most recent equal event was received longer ago than the window
//	sure      after it the ticket's latest body is its own, whether it was appended or a duplicate of just that:
//	          forced, or not stale
//	renewed   an equal event was appended earlier in the batch, so that a stale one is no replay any more. If the
//	          log's own latest event is equal, then only after something else came between
//	holds     sure or renewed. What doesn't hold leaves the ticket's latest event as it was: a duplicate of the
//	          log's, or a replay
const appendEvents = `
WITH incoming AS MATERIALIZED (
    SELECT d.*,
           d.ticket IS NOT NULL AND d.quarantined IS NULL AND d.verified_by <> 'queuetrack' AS live,
           d.ticket IS NULL OR d.quarantined IS NOT NULL AS aside
      FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::bytea[],
                  $11::bytea[], $12::uuid[], $13::text[], $14::text[], $15::bigint[],
                  $16::int[], $17::int[], $18::int[], $19::bool[])
           WITH ORDINALITY AS d (rule, ticket, type, event_key, occurred_at, received_at, body,
                  digest, delivery_id, verified_by, quarantined, repeat_of,
                  first_key, first_ticket, first_body, twin, ord)
), committed AS MATERIALIZED (
    -- This very batch, if an earlier try of it did commit and only the answer was lost. A commit is all or nothing
    -- and dense, so its first event tells where the log ended before it.
    SELECT e.position - 1 AS tail
      FROM event AS e
     WHERE e.source = $1 AND e.position > $2 AND e.delivery_id = ANY ($12::uuid[])
     ORDER BY e.position
     LIMIT 1
), log AS MATERIALIZED (
    -- The batch is judged against the log up to here: on a second try, against the same log as on the first.
    SELECT coalesce(
               (SELECT c.tail FROM committed AS c),
               (SELECT e.position FROM event AS e WHERE e.source = $1 ORDER BY e.position DESC LIMIT 1),
               0) AS tail
), found AS MATERIALIZED (
    SELECT d.ord, d.rule, d.ticket, d.digest, d.live, d.aside, d.first_key, d.first_ticket, d.first_body, d.twin,
           CASE d.rule WHEN 'key' THEN (
               SELECT e.position
                 FROM event AS e
                WHERE e.source = $1 AND e.event_key BETWEEN d.event_key AND d.event_key
                  AND e.repeat_of IS NULL AND e.position <= log.tail
                ORDER BY e.event_key
                LIMIT 1) END AS keyed,
           recent.latest, coalesce(recent.equal = recent.latest, false) AS is_latest,
           coalesce(recent.equal, older.position) AS equal,
           coalesce(CASE WHEN recent.equal IS NULL THEN older.received_at ELSE (
               SELECT e.received_at
                 FROM event AS e
                WHERE e.source = $1 AND e.position BETWEEN recent.equal AND recent.equal
                ORDER BY e.position
                LIMIT 1) END + $3::interval < d.received_at, false) AS stale
      FROM incoming AS d
     CROSS JOIN log
     CROSS JOIN LATERAL (
           -- Mostly all that the ticket has, and on the page of the index that the insert will need.
           SELECT count(*) = 16 AS more, max(r.position) AS latest,
                  max(r.position) FILTER (WHERE r.digest = d.digest) AS equal
             FROM (
                  SELECT e.position, e.digest
                    FROM event AS e
                   WHERE d.live AND e.source = $1 AND e.ticket BETWEEN d.ticket AND d.ticket
                     AND e.quarantined IS NULL AND e.verified_by <> 'queuetrack' AND e.position <= log.tail
                   ORDER BY e.ticket DESC, e.position DESC
                   LIMIT 16) AS r) AS recent
      LEFT JOIN LATERAL (
           SELECT e.position, e.received_at
             FROM event AS e
            WHERE (d.rule = 'seen' OR d.rule = 'latest' AND recent.more AND recent.equal IS NULL)
              AND e.source = $1 AND e.digest BETWEEN d.digest AND d.digest
              AND e.ticket IS NOT DISTINCT FROM d.ticket AND e.position <= log.tail
              AND CASE WHEN d.aside THEN e.ticket IS NULL OR e.quarantined IS NOT NULL
                       ELSE e.quarantined IS NULL AND e.verified_by <> 'queuetrack' END
            ORDER BY e.digest DESC, e.position DESC
            LIMIT 1) AS older ON true
), looked_up AS MATERIALIZED (
    SELECT f.*, CASE WHEN f.rule = 'key' AND f.keyed IS NULL THEN f.first_key END AS key_ord,
           f.rule = 'key' AND (f.keyed IS NOT NULL OR f.first_key < f.ord) AS key_known
      FROM found AS f
), tangled AS (
    SELECT l.first_ticket
      FROM looked_up AS l
     WHERE l.twin OR l.rule = 'latest' AND (l.stale OR l.is_latest)
), forced AS (
    SELECT l.*, l.live AND (l.rule = 'always' OR l.rule = 'key' AND NOT l.key_known) AS forced,
           CASE WHEN l.rule = 'latest' AND l.stale THEN (
               SELECT e.position
                 FROM event AS e
                WHERE e.source = $1 AND e.digest BETWEEN l.digest AND l.digest
                  AND e.ticket IS NOT DISTINCT FROM l.ticket
                  AND coalesce(e.quarantined, '') = 'replay of position ' || l.equal
                  AND e.position <= (SELECT log.tail FROM log)
                ORDER BY e.digest DESC, e.position DESC
                LIMIT 1) END AS replayed
      FROM looked_up AS l
     WHERE l.first_ticket IN (SELECT t.first_ticket FROM tangled AS t)
), sure AS (
    SELECT f.*, f.forced OR f.rule = 'latest' AND NOT f.stale AS sure
      FROM forced AS f
), displaced AS (
    SELECT s.*, min(s.ord) FILTER (WHERE s.sure AND NOT s.is_latest) OVER (PARTITION BY s.first_ticket) AS displaced_at
      FROM sure AS s
), renewed AS (
    SELECT d.*, min(d.ord) FILTER (WHERE d.sure AND (d.forced OR NOT d.is_latest OR d.displaced_at < d.ord))
                OVER (PARTITION BY d.first_body) AS renewed_at
      FROM displaced AS d
), holding AS (
    SELECT r.*, r.sure OR r.rule = 'latest' AND coalesce(r.renewed_at < r.ord, false) AS holds
      FROM renewed AS r
), holder AS (
    -- Whose body is the ticket's latest when this one comes: of an earlier one in the batch; null: the log's.
    SELECT h.*, ($18::int[])[(max(h.ord) FILTER (WHERE h.holds)
                OVER (PARTITION BY h.first_ticket ORDER BY h.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))::int]
                AS holder_body
      FROM holding AS h
), repeated AS (
    SELECT h.*, h.rule = 'latest' AND coalesce(h.holder_body = h.first_body, h.is_latest) AS repeats
      FROM holder AS h
), replay AS (
    SELECT r.*, r.rule = 'latest' AND NOT r.holds AND NOT r.repeats AS replay
      FROM repeated AS r
), first_replay AS (
    SELECT r.*, min(r.ord) FILTER (WHERE r.replay AND r.replayed IS NULL) OVER (PARTITION BY r.first_body) AS first_replay
      FROM replay AS r
), first_aside AS (
    SELECT f.*, min(f.ord) FILTER (WHERE CASE f.rule
                    WHEN 'always' THEN f.aside
                    WHEN 'key' THEN f.aside AND NOT f.key_known
                    WHEN 'latest' THEN f.ord = f.first_replay
                    WHEN 'seen' THEN f.equal IS NULL OR f.stale END) OVER (PARTITION BY f.first_body) AS first_aside
      FROM first_replay AS f
), untangled AS (
    SELECT f.*, coalesce(CASE f.rule
                    WHEN 'always' THEN true
                    WHEN 'key' THEN NOT f.key_known
                    WHEN 'latest' THEN f.holds AND NOT f.repeats OR f.ord = f.first_replay
                    WHEN 'seen' THEN f.ord = f.first_aside END, false) AS new
      FROM first_aside AS f
), judged AS (
    -- The original of a duplicate is in the batch (its number there) or in the log (its position).
    SELECT u.ord, u.new, CASE WHEN u.replay THEN u.equal END AS replay_of,
           CASE u.rule
               WHEN 'key' THEN u.key_ord
               WHEN 'latest' THEN CASE WHEN u.replay THEN u.first_replay ELSE
                   max(u.ord) FILTER (WHERE u.new AND u.live AND NOT u.replay)
                   OVER (PARTITION BY u.first_ticket ORDER BY u.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) END
               WHEN 'seen' THEN
                   max(u.ord) FILTER (WHERE u.new AND (u.aside OR u.replay))
                   OVER (PARTITION BY u.first_body ORDER BY u.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
           END AS original_ord,
           CASE u.rule
               WHEN 'key' THEN u.keyed
               WHEN 'latest' THEN CASE WHEN u.replay THEN u.replayed ELSE u.latest END
               WHEN 'seen' THEN u.equal
           END AS original
      FROM untangled AS u
     UNION ALL
    SELECT l.ord,
           CASE l.rule
               WHEN 'key' THEN NOT l.key_known
               WHEN 'seen' THEN l.equal IS NULL OR l.stale
               ELSE true
           END, NULL, l.key_ord, coalesce(l.keyed, l.equal)
      FROM looked_up AS l
     WHERE l.first_ticket NOT IN (SELECT t.first_ticket FROM tangled AS t)
), numbered AS MATERIALIZED (
    SELECT j.*, log.tail + count(*) FILTER (WHERE j.new) OVER (ORDER BY j.ord) AS position
      FROM judged AS j
     CROSS JOIN log
), inserted AS (
    INSERT INTO event AS e (source, position, ticket, type, event_key, occurred_at, received_at, body,
                            digest, delivery_id, verified_by, quarantined, repeat_of)
    SELECT $1, n.position, d.ticket, d.type, d.event_key, d.occurred_at, d.received_at, d.body,
           d.digest, d.delivery_id, d.verified_by, coalesce(d.quarantined, 'replay of position ' || n.replay_of), d.repeat_of
      FROM numbered AS n
      JOIN incoming AS d USING (ord)
     WHERE n.new AND NOT EXISTS (SELECT FROM committed)
     ORDER BY n.position
    RETURNING e.position
)
SELECT CASE WHEN NOT n.new THEN 'duplicate'
            WHEN n.replay_of IS NOT NULL OR ($14::text[])[n.ord::int] IS NOT NULL THEN 'quarantined'
            ELSE 'accepted' END AS result,
       CASE WHEN n.new THEN n.position ELSE coalesce(o.position, n.original) END AS position
  FROM numbered AS n
  LEFT JOIN numbered AS o ON o.ord = n.original_ord
 ORDER BY n.ord`
