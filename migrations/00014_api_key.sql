-- +goose Up
-- Who may read. The table is of the whole installation: no source has keys of its own, and no delivery waits for it.
-- Whoever reads it, or a backup of it, has no key: each is kept as a digest, and of its sessions what verifies their
-- signatures, but not what signs them.
CREATE TABLE api_key (
    id           text        COLLATE "C" NOT NULL,
    name         text        NOT NULL,
    scopes       text[]      NOT NULL,
    digest       bytea       NOT NULL,
    session_key  bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text        NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT api_key_pk PRIMARY KEY (id),
    CONSTRAINT api_key_scopes CHECK (scopes <@ ARRAY['read', 'admin'] AND cardinality(scopes) > 0),
    CONSTRAINT api_key_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT api_key_session_key CHECK (octet_length(session_key) = 32),
    CONSTRAINT api_key_created_by CHECK (created_by IN ('command', 'file'))
);
COMMENT ON TABLE api_key IS 'API keys; a revoked one stays, so that it can''t come back and that the log''s ids still have a name';
COMMENT ON COLUMN api_key.id IS 'the 8 characters behind "qt_" in the key; no secret';
COMMENT ON COLUMN api_key.scopes IS 'read, admin; admin includes read';
COMMENT ON COLUMN api_key.digest IS 'SHA-256 of the key';
COMMENT ON COLUMN api_key.session_key IS 'Ed25519 public key of the sessions of those who signed in with the key; the private one is made of the key itself';
COMMENT ON COLUMN api_key.created_by IS 'command: apikey create; file: QUEUETRACK_ADMIN_KEY_FILE';
COMMENT ON COLUMN api_key.last_used_at IS 'at most once a minute; null: never';

-- +goose Down
DROP TABLE api_key;
