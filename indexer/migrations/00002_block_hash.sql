-- +goose Up
CREATE INDEX blocks_hash ON blocks (hash);

-- +goose Down
DROP INDEX blocks_hash;
