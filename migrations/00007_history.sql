-- +goose Up
-- The read model "history": each ticket after each of its events.
CREATE TABLE history_0 (
    source        text        NOT NULL,
    ticket        text        NOT NULL,
    position      bigint      NOT NULL,
    next_position bigint,
    type          text        NOT NULL,
    transitions   text[]      NOT NULL,
    occurred_at   timestamptz,
    received_at   timestamptz NOT NULL,
    repeat_of     bigint,
    detail        jsonb       NOT NULL,
    state         jsonb,
    CONSTRAINT history_0_pk PRIMARY KEY (source, ticket, position)
);
COMMENT ON COLUMN history_0.next_position IS 'of the ticket''s next event; null: this is its latest. The row holds for position <= p < next_position';
COMMENT ON COLUMN history_0.state IS 'the ticket after the event; null: as before, so the state at a position is the ticket''s last one that is not null up to there';
COMMENT ON COLUMN history_0.transitions IS 'what the fold made of the event, as known when it was folded';
COMMENT ON COLUMN history_0.detail IS 'what the event itself said: status, queue, desk, agent, label, by, reason; without the empty ones';
CREATE INDEX history_0_latest ON history_0 (source, position) INCLUDE (next_position);

CREATE TABLE history_1 (LIKE history_0 INCLUDING ALL);

-- +goose Down
-- The read models and the checkpoint belong together: what is left is folded anew from the first event.
TRUNCATE folded_0, folded_1, dead_letter, board_ticket_0, board_spell_0, board_queue_0, board_name_0,
    board_ticket_1, board_spell_1, board_queue_1, board_name_1;
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;
DROP TABLE history_1;
DROP TABLE history_0;
