package eventstore

// The statements of an append, sent at once: under the lock no time passes but the database's own.
const (
	// READ COMMITTED, whatever the database's default is: each statement must see what was committed before it.
	beginAppend = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`

	// For this transaction only, since the connections are the caller's.
	limitAppend = `
		SELECT -- A stuck lock or disk becomes ErrBusy.
		       set_config('lock_timeout', '2s', true),
		       set_config('statement_timeout', '5s', true),
		       -- Answered means kept, also where a server's default is to flush commits later. What waits for more
		       -- than the flush (a replica) stays.
		       set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true),
		       -- The plan of appendEvents is made once a connection, even when the log is still empty, and must go
		       -- through the indexes for ever after.
		       set_config('plan_cache_mode', 'force_generic_plan', true),
		       set_config('enable_seqscan', 'off', true),
		       set_config('enable_bitmapscan', 'off', true),
		       set_config('jit', 'off', true)`

	// It answers how long it waited, in seconds: what is around the inner query is computed after the lock was granted.
	lockHead = `
		SELECT extract(epoch FROM clock_timestamp() - statement_timestamp())::float8 AS waited
		  FROM (
		       SELECT h.source
		         FROM log_head AS h
		        WHERE h.source = $1
		          FOR NO KEY UPDATE) AS locked`

	commitAppend = `COMMIT`
)

// appendNews inserts a batch in which everything is news: no body and no key of it is in the log, whatever the rule. Most
// batches are. It returns the position of the first, and the others follow; of any other batch, an earlier try of this
// very one included, it inserts nothing and returns NULL, and appendEvents judges it.
//
// The look-ups are a probe each, as there.
const appendNews = `
WITH inserted AS (
    INSERT INTO event AS e (source, position, ticket, type, event_key, occurred_at, received_at, body,
                            digest, delivery_id, verified_by, quarantined, repeat_of)
    SELECT $1, log.tail + d.ord, d.ticket, d.type, d.event_key, d.occurred_at, d.received_at, d.body,
           d.digest, d.delivery_id, d.verified_by, d.quarantined, d.repeat_of
      FROM (SELECT coalesce((SELECT e.position FROM event AS e WHERE e.source = $1 ORDER BY e.position DESC LIMIT 1), 0) AS tail) AS log
     CROSS JOIN unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bytea[],
                       $8::bytea[], $9::uuid[], $10::text[], $11::text[], $12::bigint[])
           WITH ORDINALITY AS d (ticket, type, event_key, occurred_at, received_at, body,
                  digest, delivery_id, verified_by, quarantined, repeat_of, ord)
     WHERE NOT EXISTS (
           SELECT FROM unnest($8::bytea[]) AS d (digest)
            CROSS JOIN LATERAL (
                  SELECT FROM event AS e WHERE e.source = $1 AND e.digest BETWEEN d.digest AND d.digest ORDER BY e.digest LIMIT 1) AS known)
       AND NOT EXISTS (
           SELECT FROM unnest($4::text[]) AS d (event_key)
            CROSS JOIN LATERAL (
                  SELECT FROM event AS e
                   WHERE e.source = $1 AND e.event_key BETWEEN d.event_key AND d.event_key AND e.repeat_of IS NULL
                   ORDER BY e.event_key LIMIT 1) AS known)
    RETURNING e.position
)
SELECT min(i.position) AS first
  FROM inserted AS i`

// appendEvents judges a batch by the rules of dedupe.go and inserts what is new, in a statement of its own: its snapshot
// is younger than the lock, so it sees all that the last holder committed.
//
// No two deliveries of a batch have one key, or one ticket and one body (batch.go). So what a delivery repeats is in the
// log, if anywhere, and one thing alone depends on the batch: whether the ticket's latest event still is the log's, or
// an earlier delivery of the batch has taken its place. model_test.go says the same as a loop.
//
// The look-ups are a probe each, never a join. `digest BETWEEN x AND x … ORDER BY digest` says `digest = x` in a way
// that only the index (source, digest, position) can answer without sorting, and IS NOT DISTINCT and coalesce keep the
// others out: on a log that was empty when the plan was made, all indexes look alike, and a walk through the whole
// source, or its quarantine, would do as well.
const appendEvents = `
WITH committed AS MATERIALIZED (
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
), incoming AS (
    SELECT d.*, log.tail, d.ticket IS NOT NULL AND d.quarantined IS NULL AND d.verified_by <> 'queuetrack' AS live
      FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::bytea[],
                  $11::bytea[], $12::uuid[], $13::text[], $14::text[], $15::bigint[])
           WITH ORDINALITY AS d (rule, ticket, type, event_key, occurred_at, received_at, body,
                  digest, delivery_id, verified_by, quarantined, repeat_of, ord)
     CROSS JOIN log
), found AS MATERIALIZED (
    -- What the delivery may repeat: the event with its key, or the most recent one with its body; whether that is too old
    -- to be edited, whether it is its ticket's latest, and where it was replayed before.
    SELECT d.*, known.position AS known, known.stale,
           d.rule = 'latest' AND known.position IS NOT NULL AND (
               SELECT e.position
                 FROM event AS e
                WHERE e.source = $1 AND e.ticket BETWEEN d.ticket AND d.ticket
                  AND e.position > known.position AND e.position <= d.tail
                  AND e.quarantined IS NULL AND e.verified_by <> 'queuetrack'
                ORDER BY e.ticket, e.position
                LIMIT 1) IS NULL AS latest,
           CASE WHEN d.rule = 'latest' AND known.stale THEN (
               SELECT e.position
                 FROM event AS e
                WHERE e.source = $1 AND e.digest BETWEEN d.digest AND d.digest
                  AND e.ticket IS NOT DISTINCT FROM d.ticket AND e.position <= d.tail
                  AND coalesce(e.quarantined, '') = 'replay of position ' || known.position
                ORDER BY e.digest DESC, e.position DESC
                LIMIT 1) END AS replayed
      FROM incoming AS d
      LEFT JOIN LATERAL (
           (SELECT e.position, false AS stale
              FROM event AS e
             WHERE d.rule = 'key' AND e.source = $1 AND e.event_key BETWEEN d.event_key AND d.event_key
               AND e.repeat_of IS NULL AND e.position <= d.tail
             ORDER BY e.event_key
             LIMIT 1)
            UNION ALL
           (SELECT e.position, e.received_at + $3::interval < d.received_at AS stale
              FROM event AS e
             WHERE d.rule IN ('latest', 'seen') AND e.source = $1 AND e.digest BETWEEN d.digest AND d.digest
               AND e.ticket IS NOT DISTINCT FROM d.ticket AND e.position <= d.tail
               AND CASE d.rule WHEN 'seen' THEN e.ticket IS NULL OR e.quarantined IS NOT NULL
                               ELSE e.quarantined IS NULL AND e.verified_by <> 'queuetrack' END
             ORDER BY e.digest DESC, e.position DESC
             LIMIT 1)) AS known ON true
), judged AS (
    SELECT f.*,
           CASE WHEN f.rule = 'key' THEN f.known
                WHEN f.rule = 'seen' THEN CASE WHEN NOT f.stale THEN f.known END
                -- Still the latest, unless an earlier delivery of the batch was appended to its ticket.
                WHEN f.latest AND bool_or(f.live AND (f.known IS NULL OR f.rule = 'latest' AND NOT f.stale))
                         OVER (PARTITION BY f.ticket ORDER BY f.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                         IS NOT TRUE THEN f.known
                WHEN f.stale THEN f.replayed END AS original
      FROM found AS f
), numbered AS MATERIALIZED (
    SELECT j.*, j.tail + count(*) FILTER (WHERE j.original IS NULL) OVER (ORDER BY j.ord) AS position,
           coalesce(j.quarantined, CASE WHEN j.rule = 'latest' AND j.stale THEN 'replay of position ' || j.known END) AS cause
      FROM judged AS j
), inserted AS (
    INSERT INTO event AS e (source, position, ticket, type, event_key, occurred_at, received_at, body,
                            digest, delivery_id, verified_by, quarantined, repeat_of)
    SELECT $1, n.position, n.ticket, n.type, n.event_key, n.occurred_at, n.received_at, n.body,
           n.digest, n.delivery_id, n.verified_by, n.cause, n.repeat_of
      FROM numbered AS n
     WHERE n.original IS NULL AND NOT EXISTS (SELECT FROM committed)
     ORDER BY n.ord
    RETURNING e.position
)
SELECT CASE WHEN n.original IS NOT NULL THEN 'duplicate'
            WHEN n.cause IS NOT NULL THEN 'quarantined'
            ELSE 'accepted' END AS result,
       coalesce(n.original, n.position) AS position
  FROM numbered AS n
 ORDER BY n.ord`
