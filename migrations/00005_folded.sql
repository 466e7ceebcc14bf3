-- +goose Up
-- The folded tickets: the facts that the fold goes on from, and what expiry needs to know.
CREATE TABLE folded_0 (
    source        text        NOT NULL,
    ticket        text        NOT NULL,
    status        text        NOT NULL,
    facts         bytea       NOT NULL,
    last_position bigint      NOT NULL,
    expires_from  timestamptz NOT NULL,
    CONSTRAINT folded_0_pk PRIMARY KEY (source, ticket),
    CONSTRAINT folded_0_status CHECK (status IN ('', 'booked', 'waiting', 'called', 'serving', 'on_hold',
        'served', 'cancelled', 'no_show', 'merged', 'expired'))
);
COMMENT ON COLUMN folded_0.status IS 'empty: known by events that tell no status (feedback) only';
COMMENT ON COLUMN folded_0.expires_from IS 'an open ticket expires counting from here: the receipt of its last event, for a booking not before its time';
CREATE INDEX folded_0_open ON folded_0 (source, expires_from, ticket)
    WHERE status IN ('booked', 'waiting', 'called', 'serving', 'on_hold');

CREATE TABLE folded_1 (LIKE folded_0 INCLUDING ALL);

-- An event that can't be decoded or folded, and the later events of its ticket that wait behind it.
CREATE TABLE dead_letter (
    source     text        NOT NULL,
    generation int         NOT NULL,
    position   bigint      NOT NULL,
    ticket     text        NOT NULL,
    behind     bigint,
    cause      text        NOT NULL,
    CONSTRAINT dead_letter_pk PRIMARY KEY (source, generation, position)
);
COMMENT ON COLUMN dead_letter.behind IS 'the position of the dead letter that this one waits behind; null: it is the dead letter';
CREATE INDEX dead_letter_ticket ON dead_letter (source, generation, ticket);

-- +goose Down
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;
DROP TABLE dead_letter;
DROP TABLE folded_1;
DROP TABLE folded_0;
