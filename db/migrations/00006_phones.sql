-- Telephones at which users are called, and how often Hark has called.
-- +goose Up

-- A user's own telephone.
CREATE TABLE phone (
  usr        TEXT   PRIMARY KEY,
  number     TEXT   NOT NULL,
  proven     BIGINT NOT NULL DEFAULT 0,       -- when the PIN was keyed in a call of ours to it; 0 never
  test       BIGINT NOT NULL DEFAULT 0,       -- from when on it is to be called once, to be proven; 0 is not
  ring       BIGINT NOT NULL DEFAULT 0,       -- 1: it is called when a message comes
  quiet_from BIGINT NOT NULL DEFAULT 0,       -- hours of the day between which it is not
  quiet_to   BIGINT NOT NULL DEFAULT 0,
  daily      BIGINT NOT NULL DEFAULT 5,       -- most calls a day
  rung       BIGINT NOT NULL DEFAULT 0        -- the message that it was last called for
);

-- Calls that were made for a user on a day, by their kind.
CREATE TABLE dialled (
  usr  TEXT   NOT NULL,
  kind TEXT   NOT NULL,                       -- "test", "ring", "talk"
  day  BIGINT NOT NULL,                       -- since 1970
  n    BIGINT NOT NULL,
  PRIMARY KEY (usr, kind)
);
