-- +goose Up
-- What the door counted besides the events themselves. Each process adds its sums once a second, so that no
-- counter is ever written under the log's lock.
CREATE TABLE counter (
    source text   NOT NULL,
    name   text   NOT NULL,
    key    text   NOT NULL,
    value  bigint NOT NULL,
    CONSTRAINT counter_pk PRIMARY KEY (source, name, key)
);
COMMENT ON COLUMN counter.name IS 'duplicate, rejected, verified';
COMMENT ON COLUMN counter.key IS 'the cause of a rejection, the name of the verifying secret; else empty';

-- +goose Down
DROP TABLE counter;
