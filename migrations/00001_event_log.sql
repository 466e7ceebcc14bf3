-- +goose Up
-- The event log: what was received, byte for byte. One log per source, dense positions 1, 2, 3 …

-- The row that an append locks (FOR NO KEY UPDATE) until it commits. It is never updated: an updated head row
-- grows dead versions under any idle snapshot elsewhere, and costs most of the throughput.
CREATE TABLE log_head (
    source text NOT NULL,
    CONSTRAINT log_head_pk PRIMARY KEY (source),
    CONSTRAINT log_head_source CHECK (source ~ '^[a-z0-9-]{1,40}$')
);
COMMENT ON TABLE log_head IS 'one row a source: locked by an append until its commit, so that positions become visible in order';

CREATE TABLE event (
    source      text        NOT NULL,
    position    bigint      NOT NULL,
    ticket      text,
    type        text        NOT NULL,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL,
    body        bytea       NOT NULL,
    digest      bytea       NOT NULL,
    delivery_id uuid        NOT NULL,
    event_key   text,
    verified_by text        NOT NULL,
    quarantined text,
    repeat_of   bigint,
    CONSTRAINT event_pk PRIMARY KEY (source, position),
    CONSTRAINT event_position CHECK (position > 0),
    CONSTRAINT event_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT event_repeat_of CHECK (repeat_of < position)
);
COMMENT ON COLUMN event.ticket IS 'the vendor''s id; null: about no ticket';
COMMENT ON COLUMN event.type IS 'the vendor''s name of the event';
COMMENT ON COLUMN event.occurred_at IS 'as the adapter read it at the door; for people, the fold never reads it';
COMMENT ON COLUMN event.received_at IS 'by the receiving process''s clock';
COMMENT ON COLUMN event.digest IS 'SHA-256 of body';
COMMENT ON COLUMN event.delivery_id IS 'random, one a delivery: finds an append whose commit''s answer was lost';
COMMENT ON COLUMN event.event_key IS 'what makes the event unique for ever, where the vendor has an event id';
COMMENT ON COLUMN event.verified_by IS 'the secret that verified it (env:NAME, file:PATH, literal-N), or queuetrack for our own';
COMMENT ON COLUMN event.quarantined IS 'why it can''t be used; null: it can';
COMMENT ON COLUMN event.repeat_of IS 'the quarantined position whose body this one repeats';

CREATE INDEX event_ticket ON event (source, ticket, position) WHERE ticket IS NOT NULL;
CREATE INDEX event_same_body ON event (source, digest, position);
CREATE UNIQUE INDEX event_unique_key ON event (source, event_key) WHERE event_key IS NOT NULL AND repeat_of IS NULL;
CREATE INDEX event_quarantine ON event (source, position) WHERE quarantined IS NOT NULL;

-- +goose Down
-- Everything else can be folded again from the log. The log can't.

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM event) THEN
        RAISE EXCEPTION 'the event log is not empty: to give it up, drop the database';
    END IF;
END
$$;
-- +goose StatementEnd

DROP TABLE event;
DROP TABLE log_head;
