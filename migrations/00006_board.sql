-- +goose Up
-- The read model "board": who is where now, and at any instant.
CREATE TABLE board_ticket_0 (
    source       text        NOT NULL,
    ticket       text        NOT NULL,
    status       text        NOT NULL,
    queue        text        NOT NULL,
    created_at   timestamptz NOT NULL,
    entered_at   timestamptz,
    priority     int         NOT NULL,
    order_at     timestamptz NOT NULL,
    order_position bigint    NOT NULL,
    state        jsonb       NOT NULL,
    CONSTRAINT board_ticket_0_pk PRIMARY KEY (source, ticket)
);
COMMENT ON TABLE board_ticket_0 IS 'each ticket as it is now';
COMMENT ON COLUMN board_ticket_0.entered_at IS 'entry to the current segment; null: never began to wait';
COMMENT ON COLUMN board_ticket_0.order_at IS 'the vendor''s order, else the entry: with priority before and order_position after, the order of the queue';
CREATE INDEX board_ticket_0_open ON board_ticket_0 (source, queue, status, priority DESC, order_at, order_position)
    WHERE status IN ('booked', 'waiting', 'called', 'serving', 'on_hold');
CREATE INDEX board_ticket_0_longest ON board_ticket_0 (source, queue, entered_at) WHERE status = 'waiting';
CREATE INDEX board_ticket_0_newest ON board_ticket_0 (created_at DESC, source, ticket);

CREATE TABLE board_spell_0 (
    source     text        NOT NULL,
    ticket     text        NOT NULL,
    n          int         NOT NULL,
    status     text        NOT NULL,
    queue      text        NOT NULL,
    from_at    timestamptz NOT NULL,
    to_at      timestamptz,
    entered_at timestamptz,
    CONSTRAINT board_spell_0_pk PRIMARY KEY (source, ticket, n)
);
COMMENT ON TABLE board_spell_0 IS 'what a ticket''s status and queue were when: from_at <= t < to_at; null: it lasts. Ended tickets have no spell after their end';
COMMENT ON COLUMN board_spell_0.entered_at IS 'of spells of waiting: entry to the segment, which a hold does not begin anew';
-- By their end: at a recent instant, which is what people ask for, few spells have ended since.
CREATE INDEX board_spell_0_at ON board_spell_0 (source, to_at, from_at) INCLUDE (queue, status, entered_at);

CREATE TABLE board_queue_0 (
    source        text        NOT NULL,
    queue         text        NOT NULL,
    last_event_at timestamptz NOT NULL,
    last_position bigint      NOT NULL,
    waiting       bigint      NOT NULL,
    called        bigint      NOT NULL,
    serving       bigint      NOT NULL,
    on_hold       bigint      NOT NULL,
    booked        bigint      NOT NULL,
    CONSTRAINT board_queue_0_pk PRIMARY KEY (source, queue)
);
COMMENT ON TABLE board_queue_0 IS 'every queue that a ticket was ever in';
COMMENT ON COLUMN board_queue_0.waiting IS 'how many tickets stand in it now, by status: kept up by each event''s difference, so that the board needs not count';
COMMENT ON COLUMN board_queue_0.last_event_at IS 'received_at of the last event about a ticket that was, came or went there';

CREATE TABLE board_name_0 (
    source   text   NOT NULL,
    kind     text   NOT NULL,
    id       text   NOT NULL,
    name     text   NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT board_name_0_pk PRIMARY KEY (source, kind, id),
    CONSTRAINT board_name_0_kind CHECK (kind IN ('queue', 'location', 'queue_location'))
);
COMMENT ON TABLE board_name_0 IS 'the vendor''s latest names; resolved when answering, never stored in other rows';

CREATE TABLE board_ticket_1 (LIKE board_ticket_0 INCLUDING ALL);
CREATE TABLE board_spell_1 (LIKE board_spell_0 INCLUDING ALL);
CREATE TABLE board_queue_1 (LIKE board_queue_0 INCLUDING ALL);
CREATE TABLE board_name_1 (LIKE board_name_0 INCLUDING ALL);

-- +goose Down
-- The read models and the checkpoint belong together: what is left is folded anew from the first event.
TRUNCATE folded_0, folded_1, dead_letter;
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;
DROP TABLE board_name_1, board_queue_1, board_spell_1, board_ticket_1;
DROP TABLE board_name_0, board_queue_0, board_spell_0, board_ticket_0;
