-- +goose Up
-- A generation is one complete filling of the read models. Generation n lives in the tables ending in n mod 2, so
-- the next one is filled beside the one that serves, without DDL at run time.
CREATE TABLE generation (
    generation  int         NOT NULL,
    state       text        NOT NULL,
    fingerprint text        NOT NULL,
    created_at  timestamptz NOT NULL,
    switched_at timestamptz,
    CONSTRAINT generation_pk PRIMARY KEY (generation),
    CONSTRAINT generation_state CHECK (state IN ('building', 'serving', 'previous'))
);
COMMENT ON COLUMN generation.state IS 'building: being filled; serving: what readers see; previous: stopped at the switch, kept for a rollback';
COMMENT ON COLUMN generation.fingerprint IS 'of the fold, the adapters and the configuration they read';
CREATE UNIQUE INDEX generation_one_serving ON generation (state) WHERE state = 'serving';

-- How far each source's log has been folded, and by whom.
CREATE TABLE shard (
    source      text        NOT NULL,
    generation  int         NOT NULL,
    position    bigint      NOT NULL DEFAULT 0,
    owner       text        NOT NULL DEFAULT '',
    epoch       bigint      NOT NULL DEFAULT 0,
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    halted      text,
    CONSTRAINT shard_pk PRIMARY KEY (source, generation),
    CONSTRAINT shard_position CHECK (position >= 0)
);
COMMENT ON COLUMN shard.position IS 'the checkpoint: scanned through, never the last match';
COMMENT ON COLUMN shard.epoch IS 'moves with each claim; a write that names an older one is refused';
COMMENT ON COLUMN shard.lease_until IS 'by the database''s clock';
COMMENT ON COLUMN shard.halted IS 'why the shard stopped: a hole in the log, a checkpoint ahead of its tail; null: it runs';

INSERT INTO generation (generation, state, fingerprint, created_at, switched_at)
VALUES (0, 'serving', '', '-infinity', '-infinity');

-- +goose Down
DROP TABLE shard;
DROP TABLE generation;
