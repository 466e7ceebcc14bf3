-- +goose Up
-- The read model "estimate": how long somebody who comes now has to wait, by what the log had told until then.

-- What the log tells of the lines, event by event. The rest is folded from these in the order of their positions.
CREATE TABLE estimate_move_0 (
    source         text        NOT NULL,
    ticket         text        COLLATE "C" NOT NULL,
    position       bigint      NOT NULL,
    n              int         NOT NULL,
    segment        int         NOT NULL,
    kind           text        NOT NULL,
    queue          text        NOT NULL,
    at             timestamptz NOT NULL,
    priority       int         NOT NULL,
    order_at       timestamptz NOT NULL,
    order_position bigint      NOT NULL,
    wait_seconds   bigint,
    CONSTRAINT estimate_move_0_pk PRIMARY KEY (source, ticket, position, n),
    CONSTRAINT estimate_move_0_kind CHECK (kind IN ('arrived', 'moved', 'withdrew', 'called', 'left'))
);
COMMENT ON TABLE estimate_move_0 IS 'who came to wait in a queue, changed place or went, as each event told it';
COMMENT ON COLUMN estimate_move_0.n IS 'counts the moves of one event';
COMMENT ON COLUMN estimate_move_0.kind IS 'arrived: began to wait; moved: has another place, or is back in line; withdrew: does not wait, without having left; called, left: gone, with a call or without';
COMMENT ON COLUMN estimate_move_0.at IS 'whole seconds; not later than the receipt';
COMMENT ON COLUMN estimate_move_0.wait_seconds IS 'of a call: how long it took; null: it can''t be counted';

-- Who waits now, in which place, and what was predicted at the arrival.
CREATE TABLE estimate_line_0 (
    source         text        NOT NULL,
    queue          text        NOT NULL,
    ticket         text        COLLATE "C" NOT NULL,
    segment        int         NOT NULL,
    entered_at     timestamptz NOT NULL,
    priority       int         NOT NULL,
    order_at       timestamptz NOT NULL,
    order_position bigint      NOT NULL,
    ahead          bigint,
    queue_millis   bigint,
    wait_seconds   bigint,
    low_seconds    bigint,
    high_seconds   bigint,
    hourly_seconds bigint,
    last_seconds   bigint,
    CONSTRAINT estimate_line_0_pk PRIMARY KEY (source, queue, ticket, segment)
);
COMMENT ON COLUMN estimate_line_0.ahead IS 'who stood before it at its arrival; null: nobody saw it arrive';
COMMENT ON COLUMN estimate_line_0.queue_millis IS '(ahead + 1) times the pace, in milliseconds; null: there was no pace';

-- What each queue has seen: all that an estimate is made of, beside the line.
CREATE TABLE estimate_queue_0 (
    source text  NOT NULL,
    queue  text  NOT NULL,
    past   bytea NOT NULL,
    CONSTRAINT estimate_queue_0_pk PRIMARY KEY (source, queue)
) WITH (fillfactor = 50);
ALTER TABLE estimate_queue_0 ALTER COLUMN past SET STORAGE MAIN;
COMMENT ON COLUMN estimate_queue_0.past IS 'as projection/estimate encodes it; some 2 KB';

-- What had been predicted of waits that ended with a call, and what came of it.
CREATE TABLE estimate_wait_0 (
    source         text        NOT NULL,
    position       bigint      NOT NULL,
    n              int         NOT NULL,
    queue          text        NOT NULL,
    entered_at     timestamptz NOT NULL,
    ahead          bigint      NOT NULL,
    wait_seconds   bigint      NOT NULL,
    low_seconds    bigint,
    high_seconds   bigint,
    hourly_seconds bigint,
    last_seconds   bigint,
    actual_seconds bigint      NOT NULL,
    CONSTRAINT estimate_wait_0_pk PRIMARY KEY (source, position, n)
);
COMMENT ON COLUMN estimate_wait_0.position IS 'of the call';
COMMENT ON COLUMN estimate_wait_0.hourly_seconds IS 'the baseline: mean of the waits that had ended within 60 minutes before the arrival';
COMMENT ON COLUMN estimate_wait_0.last_seconds IS 'the baseline: the last wait that had ended before the arrival';
-- Waits end in about the order in which they began: ranges of pages are told apart by their times, and no row has an entry.
CREATE INDEX estimate_wait_0_entered ON estimate_wait_0 USING brin (entered_at);

CREATE TABLE estimate_move_1 (LIKE estimate_move_0 INCLUDING ALL);
CREATE TABLE estimate_line_1 (LIKE estimate_line_0 INCLUDING ALL);
CREATE TABLE estimate_queue_1 (LIKE estimate_queue_0 INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE estimate_wait_1 (LIKE estimate_wait_0 INCLUDING ALL);

-- What is there was folded without these: it is folded anew from the first event.
TRUNCATE folded_0, folded_1, dead_letter, board_ticket_0, board_spell_0, board_queue_0, board_name_0,
    board_ticket_1, board_spell_1, board_queue_1, board_name_1, history_0, history_1, wait_segment_0, wait_segment_1,
    wait_hold_0, wait_hold_1;
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;

-- +goose Down
-- The read models and the checkpoint belong together: what is left is folded anew from the first event.
TRUNCATE folded_0, folded_1, dead_letter, board_ticket_0, board_spell_0, board_queue_0, board_name_0,
    board_ticket_1, board_spell_1, board_queue_1, board_name_1, history_0, history_1, wait_segment_0, wait_segment_1,
    wait_hold_0, wait_hold_1;
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;

DROP TABLE estimate_wait_1, estimate_queue_1, estimate_line_1, estimate_move_1;
DROP TABLE estimate_wait_0, estimate_queue_0, estimate_line_0, estimate_move_0;
