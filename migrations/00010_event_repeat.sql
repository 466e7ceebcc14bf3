-- +goose Up
-- What is quarantined is appended anew at most once, however many operators retry it at the same time.
CREATE UNIQUE INDEX event_unique_repeat ON event (source, repeat_of) WHERE repeat_of IS NOT NULL;

-- +goose Down
DROP INDEX event_unique_repeat;
