-- What a message asks of whoever gets it: answers to choose from (XEP-0439), and to be told when it was read (XEP-0333).
-- +goose Up

ALTER TABLE message ADD COLUMN choices TEXT NOT NULL DEFAULT '';           -- JSON, '' for none
ALTER TABLE message ADD COLUMN markable BOOLEAN NOT NULL DEFAULT FALSE;
