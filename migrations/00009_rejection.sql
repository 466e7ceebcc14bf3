-- +goose Up
-- The latest requests that the door refused, for whoever has to find out why a vendor's webhooks don't come through.
-- Strangers decide how many there are, so the table can't grow: each source has 100 slots, which are written over in
-- turn, at most 20 a second and process. A row is under 2000 bytes, whatever was sent (eventstore/rejections.go cuts
-- it), so nothing is stored out of line. No index holds what an update changes and pages begin half empty, so that most
-- dead versions are cleared away when their page is next written; autovacuum, which sees 70 of them, does the rest each
-- minute (without it, 8,000 of them grew the table to 10.6 MB at worst). As for any table, a snapshot that stays open elsewhere
-- puts that off, at up to 40 KB a second, source and process.
CREATE TABLE rejection (
    source      text        NOT NULL,
    slot        smallint    NOT NULL,
    number      bigint      NOT NULL,
    received_at timestamptz NOT NULL,
    cause       text        NOT NULL,
    method      text        NOT NULL,
    headers     text[]      NOT NULL,
    digest      bytea,
    size        bigint,
    CONSTRAINT rejection_pk PRIMARY KEY (source, slot),
    CONSTRAINT rejection_slot CHECK (slot = number % 100),
    CONSTRAINT rejection_digest CHECK (octet_length(digest) = 32)
) WITH (fillfactor = 50);
COMMENT ON COLUMN rejection.number IS 'counts what was written of its source; the counter "noted" holds the last one';
COMMENT ON COLUMN rejection.received_at IS 'by the receiving process''s clock';
COMMENT ON COLUMN rejection.headers IS 'names, never values; sorted';
COMMENT ON COLUMN rejection.digest IS 'SHA-256 of the body; null: it was not read whole';
COMMENT ON COLUMN rejection.size IS 'bytes of the body that were read, or claimed when it was not read; null: neither';
COMMENT ON COLUMN counter.name IS 'duplicate, noted, rejected, verified';

-- +goose Down
DROP TABLE rejection;
DELETE FROM counter WHERE name = 'noted';
COMMENT ON COLUMN counter.name IS 'duplicate, rejected, verified';
