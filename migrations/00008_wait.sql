-- +goose Up
-- The read model "wait": one narrow row a segment, with integer seconds, for exact reports in plain SQL.
CREATE TABLE wait_segment_0 (
    source          text        NOT NULL,
    ticket          text        NOT NULL,
    n               int         NOT NULL,
    queue           text        NOT NULL,
    desk            text        NOT NULL,
    agent           text        NOT NULL,
    entered_at      timestamptz NOT NULL,
    called_at       timestamptz,
    left_at         timestamptz,
    outcome         text        NOT NULL,
    wait_seconds    bigint,
    service_seconds bigint,
    self_registered boolean     NOT NULL,
    CONSTRAINT wait_segment_0_pk PRIMARY KEY (source, ticket, n),
    CONSTRAINT wait_segment_0_outcome CHECK (outcome IN ('open', 'served', 'no_show', 'abandoned', 'cancelled',
        'returned', 'transferred', 'expired', 'merged'))
);
COMMENT ON TABLE wait_segment_0 IS 'one stay of a ticket in one queue';
COMMENT ON COLUMN wait_segment_0.entered_at IS 'truncated to the second, as are called_at and left_at: states add up exactly';
COMMENT ON COLUMN wait_segment_0.wait_seconds IS 'time in WAITING once it is over: entry to first call, or to leaving without one';
COMMENT ON COLUMN wait_segment_0.service_seconds IS 'of served segments: arrival (else call) to end, without holds';
COMMENT ON COLUMN wait_segment_0.self_registered IS 'had an owner from the start: leaves the statistics of waits and services, as a negative one leaves its own';
CREATE INDEX wait_segment_0_entered ON wait_segment_0 (source, entered_at)
    INCLUDE (queue, outcome, called_at, wait_seconds, service_seconds, self_registered);
CREATE INDEX wait_segment_0_left ON wait_segment_0 (source, left_at) INCLUDE (queue, outcome);

CREATE TABLE wait_segment_1 (LIKE wait_segment_0 INCLUDING ALL);

-- +goose Down
-- The read models and the checkpoint belong together: what is left is folded anew from the first event.
TRUNCATE folded_0, folded_1, dead_letter, board_ticket_0, board_spell_0, board_queue_0, board_name_0,
    board_ticket_1, board_spell_1, board_queue_1, board_name_1, history_0, history_1;
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;
DROP TABLE wait_segment_1;
DROP TABLE wait_segment_0;
