-- +goose Up
-- Generations are filled beside the one that serves, by one process at a time, and may be gone back to.

-- The states of tickets become bytes of our own making (projection/state.go): a third of the size, and Postgres need
-- not parse them. What the read models hold is folded anew from the first event.
TRUNCATE folded_0, folded_1, dead_letter, board_ticket_0, board_spell_0, board_queue_0, board_name_0,
    board_ticket_1, board_spell_1, board_queue_1, board_name_1, history_0, history_1, wait_segment_0, wait_segment_1;
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;

ALTER TABLE board_ticket_0 ALTER COLUMN state TYPE bytea USING '\x';
ALTER TABLE board_ticket_1 ALTER COLUMN state TYPE bytea USING '\x';
ALTER TABLE history_0 ALTER COLUMN state TYPE bytea USING '\x', ALTER COLUMN detail TYPE json;
ALTER TABLE history_1 ALTER COLUMN state TYPE bytea USING '\x', ALTER COLUMN detail TYPE json;

-- Ids are compared as bytes: quicker, and in the same order on every system and after every upgrade of one.
ALTER TABLE event ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE dead_letter ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE folded_0 ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE folded_1 ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE board_ticket_0 ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE board_ticket_1 ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE board_spell_0 ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE board_spell_1 ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE history_0 ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE history_1 ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE wait_segment_0 ALTER COLUMN ticket TYPE text COLLATE "C";
ALTER TABLE wait_segment_1 ALTER COLUMN ticket TYPE text COLLATE "C";

-- Who stood in a queue at a position: the rows that held then, of tickets that were open. One that holds for less than 4096
-- positions is found by the events right before the position, and one that still holds by its ticket, which is open now.
-- The others, which are few, by this index, in steps of four: a row that holds for less than 16384 began less than 16384
-- before. So a look at any position costs what it finds, and not the length of the history.
DROP INDEX history_0_latest;
DROP INDEX history_1_source_position_next_position_idx;
ALTER TABLE history_0 ADD COLUMN open boolean NOT NULL;
ALTER TABLE history_1 ADD COLUMN open boolean NOT NULL;
COMMENT ON COLUMN history_0.open IS 'whether the ticket stands in a queue after the event';
CREATE INDEX history_0_open ON history_0 (source,
    width_bucket(next_position - position, '{16384, 65536, 262144, 1048576}'::bigint[]), position)
    WHERE open AND next_position - position >= 4096;
CREATE INDEX history_1_open ON history_1 (source,
    width_bucket(next_position - position, '{16384, 65536, 262144, 1048576}'::bigint[]), position)
    WHERE open AND next_position - position >= 4096;

-- Whoever fills a generation, or goes back to one, holds its lease.
ALTER TABLE generation
    ADD COLUMN owner text NOT NULL DEFAULT '',
    ADD COLUMN epoch bigint NOT NULL DEFAULT 0,
    ADD COLUMN lease_until timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN phase text NOT NULL DEFAULT '',
    ADD COLUMN rate double precision NOT NULL DEFAULT 0,
    ADD COLUMN task text NOT NULL DEFAULT '',
    ADD COLUMN began_at timestamptz,
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN failure text NOT NULL DEFAULT '',
    ADD COLUMN differing bigint,
    ADD COLUMN differing_some text[];
COMMENT ON COLUMN generation.epoch IS 'moves with each owner; a word of an older one is refused';
COMMENT ON COLUMN generation.lease_until IS 'by the database''s clock; long past: nobody is at work on it';
COMMENT ON COLUMN generation.phase IS 'what its owner is doing: clearing, filling, following, comparing, switching';
COMMENT ON COLUMN generation.rate IS 'events a second that its owner folds';
COMMENT ON COLUMN generation.task IS 'what its last owner was at: rebuild, rollback, discard';
COMMENT ON COLUMN generation.began_at IS 'when its last owner began, or went on; of all generations, the latest one''s is the last task';
COMMENT ON COLUMN generation.ended_at IS 'when its last owner stopped, done or not; null: it never said so';
COMMENT ON COLUMN generation.failure IS 'what its last owner stopped for; empty: nothing, or it was told to';
COMMENT ON COLUMN generation.differing IS 'how many tickets had another state than in the generation that served, at its last switch';
COMMENT ON COLUMN generation.differing_some IS 'a few of these, as SOURCE/TICKET';
ALTER TABLE generation DROP CONSTRAINT generation_state;
ALTER TABLE generation ADD CONSTRAINT generation_state CHECK (state IN ('building', 'serving', 'previous', 'dropped'));
COMMENT ON COLUMN generation.state IS 'building: being filled; serving: what readers see; previous: stopped at the switch, kept for a rollback; dropped: its rows are gone, its number and fingerprint are remembered';
DROP INDEX generation_one_serving;
CREATE UNIQUE INDEX generation_one_of_each ON generation (state) WHERE state <> 'dropped';

ALTER TABLE shard
    ADD COLUMN fill_to bigint;
COMMENT ON COLUMN shard.fill_to IS 'the position up to which the shard is being filled by ticket; null: it is not, and follows the log';

-- What each generation was folded with. It is never forgotten: a fingerprint gets one generation without being asked, so
-- that two versions that rebuild by themselves don't take turns for ever.
CREATE TABLE folded_with (
    source     text   NOT NULL,
    generation int    NOT NULL,
    code       text   NOT NULL,
    settings   text   NOT NULL,
    after      bigint NOT NULL,
    CONSTRAINT folded_with_pk PRIMARY KEY (source, generation, code, settings)
);
COMMENT ON COLUMN folded_with.code IS 'fingerprint of the fold, the adapters and the read models; of more than one row, the first began the generation (generation.fingerprint)';
COMMENT ON COLUMN folded_with.settings IS 'fingerprint of the configuration that the source''s adapter reads';
COMMENT ON COLUMN folded_with.after IS 'it folded events after this position, the first time';

-- A stretch of tickets that has been filled, in the transaction that wrote its rows.
CREATE TABLE filled (
    source     text   NOT NULL,
    generation int    NOT NULL,
    through    text   COLLATE "C" NOT NULL,
    after      text   COLLATE "C" NOT NULL,
    events     bigint NOT NULL,
    CONSTRAINT filled_pk PRIMARY KEY (source, generation, through)
);
COMMENT ON TABLE filled IS 'after < ticket <= through; both empty: the events about no ticket. An interrupted rebuild goes on with what is not here';

-- What an operator decided never to fold. It outlives rebuilds.
CREATE TABLE dismissal (
    source       text        NOT NULL,
    position     bigint      NOT NULL,
    dismissed_at timestamptz NOT NULL,
    CONSTRAINT dismissal_pk PRIMARY KEY (source, position)
);

-- Tickets some of whose events were folded after their turn: their rows changed while the checkpoint stood still, and
-- whoever follows positions has to be told otherwise.
CREATE TABLE revived (
    source   text   NOT NULL,
    ticket   text   NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT revived_pk PRIMARY KEY (source, ticket)
);
COMMENT ON COLUMN revived.position IS 'the checkpoint when it happened, the last time';
CREATE INDEX revived_position ON revived (source, position);

-- The processes that fold, each with a lease: for a fair share of the shards.
CREATE TABLE runner (
    owner       text        NOT NULL,
    code        text        NOT NULL DEFAULT '',
    sources     text[]      NOT NULL,
    shards      text[]      NOT NULL DEFAULT '{}',
    lease_until timestamptz NOT NULL,
    CONSTRAINT runner_pk PRIMARY KEY (owner)
);
COMMENT ON COLUMN runner.code IS 'fingerprint of what it folds with: generation.fingerprint, where both are the same version''s';
COMMENT ON COLUMN runner.sources IS 'what it is configured with';
COMMENT ON COLUMN runner.shards IS 'which of them it is to fold; whoever deals, deals under a lock on all rows';

-- +goose Down
DROP TABLE runner;
DROP TABLE revived;
DROP TABLE dismissal;
DROP TABLE filled;
DROP TABLE folded_with;
ALTER TABLE shard DROP COLUMN fill_to;
DELETE FROM shard WHERE generation NOT IN (SELECT generation FROM generation WHERE state = 'serving');
DELETE FROM generation WHERE state <> 'serving';
ALTER TABLE generation DROP CONSTRAINT generation_state;
ALTER TABLE generation ADD CONSTRAINT generation_state CHECK (state IN ('building', 'serving', 'previous'));
COMMENT ON COLUMN generation.state IS 'building: being filled; serving: what readers see; previous: stopped at the switch, kept for a rollback';
DROP INDEX generation_one_of_each;
CREATE UNIQUE INDEX generation_one_serving ON generation (state) WHERE state = 'serving';
ALTER TABLE generation
    DROP COLUMN differing_some,
    DROP COLUMN differing,
    DROP COLUMN failure,
    DROP COLUMN ended_at,
    DROP COLUMN began_at,
    DROP COLUMN task,
    DROP COLUMN rate,
    DROP COLUMN phase,
    DROP COLUMN lease_until,
    DROP COLUMN epoch,
    DROP COLUMN owner;

-- The read models and the checkpoint belong together: what is left is folded anew from the first event.
TRUNCATE folded_0, folded_1, dead_letter, board_ticket_0, board_spell_0, board_queue_0, board_name_0,
    board_ticket_1, board_spell_1, board_queue_1, board_name_1, history_0, history_1, wait_segment_0, wait_segment_1;
UPDATE shard SET position = 0, epoch = epoch + 1, halted = NULL;
ALTER TABLE wait_segment_1 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE wait_segment_0 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE history_1 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE history_0 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE board_spell_1 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE board_spell_0 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE board_ticket_1 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE board_ticket_0 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE folded_1 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE folded_0 ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE dead_letter ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE event ALTER COLUMN ticket TYPE text COLLATE "default";
ALTER TABLE history_1 DROP COLUMN open;
ALTER TABLE history_0 DROP COLUMN open;
CREATE INDEX history_1_source_position_next_position_idx ON history_1 (source, position) INCLUDE (next_position);
CREATE INDEX history_0_latest ON history_0 (source, position) INCLUDE (next_position);
ALTER TABLE history_1 ALTER COLUMN state TYPE jsonb USING '{}', ALTER COLUMN detail TYPE jsonb;
ALTER TABLE history_0 ALTER COLUMN state TYPE jsonb USING '{}', ALTER COLUMN detail TYPE jsonb;
ALTER TABLE board_ticket_1 ALTER COLUMN state TYPE jsonb USING '{}';
ALTER TABLE board_ticket_0 ALTER COLUMN state TYPE jsonb USING '{}';
