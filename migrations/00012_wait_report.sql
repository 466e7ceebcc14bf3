-- +goose Up
-- What the whole wait report needs: re-calls, who was on hold while the queue went on, and every way to place a segment in
-- a window.

-- Segments are folded anew from the first event, with what they lack.
TRUNCATE folded_0, folded_1, dead_letter, board_ticket_0, board_spell_0, board_queue_0, board_name_0,
    board_ticket_1, board_spell_1, board_queue_1, board_name_1, history_0, history_1, wait_segment_0, wait_segment_1;
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;

-- What a report counts of a segment, in eight bytes: so that it may read millions of them from a small index, and hand over
-- a group's as one string (projection/wait/packed.go, which reads it). Null: it does not fit (a wait of more than two years),
-- and the segment's own columns tell.
ALTER TABLE wait_segment_0
    ADD COLUMN recalls int NOT NULL,
    ADD COLUMN measures bytea GENERATED ALWAYS AS (int8send(CASE
        WHEN coalesce(wait_seconds, 0) < 67108862 AND coalesce(service_seconds, 0) < 67108862 AND recalls < 64
        THEN (CASE outcome WHEN 'open' THEN 0::bigint WHEN 'served' THEN 1 WHEN 'no_show' THEN 2 WHEN 'abandoned' THEN 3
                WHEN 'cancelled' THEN 4 WHEN 'returned' THEN 5 WHEN 'transferred' THEN 6 WHEN 'expired' THEN 7 WHEN 'merged' THEN 8 END << 60)
            | (self_registered::int::bigint << 59)
            | ((called_at IS NOT NULL)::int::bigint << 58)
            | (recalls::bigint << 52)
            | (coalesce(CASE WHEN service_seconds < 0 THEN 1 ELSE service_seconds + 2 END, 0) << 26)
            | coalesce(CASE WHEN wait_seconds < 0 THEN 1 ELSE wait_seconds + 2 END, 0)
        END)) STORED;
ALTER TABLE wait_segment_1
    ADD COLUMN recalls int NOT NULL,
    ADD COLUMN measures bytea GENERATED ALWAYS AS (int8send(CASE
        WHEN coalesce(wait_seconds, 0) < 67108862 AND coalesce(service_seconds, 0) < 67108862 AND recalls < 64
        THEN (CASE outcome WHEN 'open' THEN 0::bigint WHEN 'served' THEN 1 WHEN 'no_show' THEN 2 WHEN 'abandoned' THEN 3
                WHEN 'cancelled' THEN 4 WHEN 'returned' THEN 5 WHEN 'transferred' THEN 6 WHEN 'expired' THEN 7 WHEN 'merged' THEN 8 END << 60)
            | (self_registered::int::bigint << 59)
            | ((called_at IS NOT NULL)::int::bigint << 58)
            | (recalls::bigint << 52)
            | (coalesce(CASE WHEN service_seconds < 0 THEN 1 ELSE service_seconds + 2 END, 0) << 26)
            | coalesce(CASE WHEN wait_seconds < 0 THEN 1 ELSE wait_seconds + 2 END, 0)
        END)) STORED;
COMMENT ON COLUMN wait_segment_0.recalls IS 'calls after the first one';
COMMENT ON COLUMN wait_segment_0.measures IS 'a bigint: bits 0–25 wait and 26–51 service, each 0: none, 1: negative, else seconds + 2; 52–57 recalls; 58 called; 59 self-registered; 60–63 outcome; null: does not fit';
CREATE INDEX wait_segment_0_odd ON wait_segment_0 (source) WHERE measures IS NULL;
CREATE INDEX wait_segment_1_odd ON wait_segment_1 (source) WHERE measures IS NULL;

-- A report by arrival, of queues, reads nothing but this index.
DROP INDEX wait_segment_0_entered;
DROP INDEX wait_segment_1_source_entered_at_queue_outcome_called_at_wa_idx;
CREATE INDEX wait_segment_0_entered ON wait_segment_0 (source, entered_at) INCLUDE (queue, measures);
CREATE INDEX wait_segment_1_entered ON wait_segment_1 (source, entered_at) INCLUDE (queue, measures);

CREATE INDEX wait_segment_0_called ON wait_segment_0 (source, called_at) WHERE called_at IS NOT NULL;
CREATE INDEX wait_segment_1_called ON wait_segment_1 (source, called_at) WHERE called_at IS NOT NULL;

-- Who waited at an instant: most of them had come within the hour before it, and are found by their entry. Those who
-- waited longer are found by this index, in steps of four: a wait of less than 16 hours began less than 16 hours before.
-- Those who still wait have not left. So a look at any time costs what it finds, and not the length of the log.
CREATE INDEX wait_segment_0_long ON wait_segment_0 (source,
    width_bucket(coalesce(called_at, left_at) - entered_at, '{1 hour, 4 hours, 16 hours, 64 hours, 256 hours, 1024 hours, 4096 hours, 16384 hours}'::interval[]),
    entered_at)
    WHERE coalesce(called_at, left_at) - entered_at >= interval '1 hour';
CREATE INDEX wait_segment_1_long ON wait_segment_1 (source,
    width_bucket(coalesce(called_at, left_at) - entered_at, '{1 hour, 4 hours, 16 hours, 64 hours, 256 hours, 1024 hours, 4096 hours, 16384 hours}'::interval[]),
    entered_at)
    WHERE coalesce(called_at, left_at) - entered_at >= interval '1 hour';

-- Holds interrupt a wait. They are rare before the first call.
CREATE TABLE wait_hold_0 (
    source  text        NOT NULL,
    ticket  text        COLLATE "C" NOT NULL,
    n       int         NOT NULL,
    segment int         NOT NULL,
    from_at timestamptz NOT NULL,
    to_at   timestamptz,
    CONSTRAINT wait_hold_0_pk PRIMARY KEY (source, ticket, n)
);
COMMENT ON TABLE wait_hold_0 IS 'a time on hold within the wait of one of the ticket''s segments';
COMMENT ON COLUMN wait_hold_0.from_at IS 'truncated to the second, as is to_at';
COMMENT ON COLUMN wait_hold_0.to_at IS 'null: it lasts';
CREATE INDEX wait_hold_0_from ON wait_hold_0 (source, from_at);
CREATE TABLE wait_hold_1 (LIKE wait_hold_0 INCLUDING ALL);

-- +goose Down
DROP TABLE wait_hold_1;
DROP TABLE wait_hold_0;

-- The read models and the checkpoint belong together: what is left is folded anew from the first event.
TRUNCATE folded_0, folded_1, dead_letter, board_ticket_0, board_spell_0, board_queue_0, board_name_0,
    board_ticket_1, board_spell_1, board_queue_1, board_name_1, history_0, history_1, wait_segment_0, wait_segment_1;
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;
DROP INDEX wait_segment_1_long;
DROP INDEX wait_segment_0_long;
DROP INDEX wait_segment_1_called;
DROP INDEX wait_segment_0_called;
DROP INDEX wait_segment_1_entered;
DROP INDEX wait_segment_0_entered;
ALTER TABLE wait_segment_1 DROP COLUMN measures, DROP COLUMN recalls;
ALTER TABLE wait_segment_0 DROP COLUMN measures, DROP COLUMN recalls;
CREATE INDEX wait_segment_1_source_entered_at_queue_outcome_called_at_wa_idx ON wait_segment_1 (source, entered_at)
    INCLUDE (queue, outcome, called_at, wait_seconds, service_seconds, self_registered);
CREATE INDEX wait_segment_0_entered ON wait_segment_0 (source, entered_at)
    INCLUDE (queue, outcome, called_at, wait_seconds, service_seconds, self_registered);
