-- The Central Session Database. All times are milliseconds of the database's clock.
-- +goose Up

CREATE TABLE node (
  name        TEXT    PRIMARY KEY,
  addr        TEXT    NOT NULL,
  inc         BIGINT  NOT NULL,               -- counts the starts
  lease_until BIGINT  NOT NULL,
  prior_end   BIGINT  NOT NULL,               -- when the lease of the incarnation before this one ended
  draining    BOOLEAN NOT NULL DEFAULT FALSE
);

-- One row per user, from his first session or message on. The epoch never goes back, so the row outlives the session.
CREATE TABLE session (
  usr           TEXT   PRIMARY KEY,
  id            TEXT   NOT NULL DEFAULT '',   -- '' when there is no session
  begun         BIGINT NOT NULL DEFAULT 0,    -- the epoch in which this id began
  since         BIGINT NOT NULL DEFAULT 0,    -- when
  node          TEXT   NOT NULL DEFAULT '',   -- '' when nobody owns it
  inc           BIGINT NOT NULL DEFAULT 0,
  epoch         BIGINT NOT NULL DEFAULT 0,
  claim         TEXT   NOT NULL DEFAULT '',   -- random, one per claim: tells whose claim it was when the outcome is unknown
  last_seq      BIGINT NOT NULL DEFAULT 0,    -- the log's end
  kept          BIGINT NOT NULL DEFAULT 0,    -- messages in the log
  bytes         BIGINT NOT NULL DEFAULT 0,    -- their size
  oldest        BIGINT NOT NULL DEFAULT 0,    -- not later than when the oldest row of the log was stored
  dropped       BIGINT NOT NULL DEFAULT 0,    -- incoming messages that retention removed
  dropped_upto  BIGINT NOT NULL DEFAULT 0     -- and the last of them
);
CREATE INDEX session_node ON session (node);

CREATE TABLE session_key (
  hash     TEXT   PRIMARY KEY,
  usr      TEXT   NOT NULL,
  id       TEXT   NOT NULL,                   -- the session it opens
  kind     TEXT   NOT NULL,
  client   TEXT   NOT NULL,
  caller   TEXT   NOT NULL,
  number   BIGINT NOT NULL,                   -- order of making
  idle     BIGINT NOT NULL,                   -- milliseconds
  used     BIGINT NOT NULL,
  ends     BIGINT NOT NULL
);
CREATE INDEX session_key_usr ON session_key (usr, kind, client, number);

-- The log. A row that retention removed by count or size stays behind, empty and gone, until the age bound is over, so that a
-- message that the network delivers once more is still known.
CREATE TABLE message (
  usr         TEXT    NOT NULL,
  seq         BIGINT  NOT NULL,
  outgoing    BOOLEAN NOT NULL,
  origin      TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  sender      TEXT    NOT NULL,
  recipient   TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  body        TEXT    NOT NULL,
  attachments TEXT    NOT NULL,               -- JSON, '' for none
  reply_to    TEXT    NOT NULL,
  sent        BIGINT  NOT NULL,               -- microseconds since 1970, of the network's clock; 0 when unknown
  state       TEXT    NOT NULL,
  reason      TEXT    NOT NULL DEFAULT '',
  stored      BIGINT  NOT NULL,
  size        BIGINT  NOT NULL,
  gone        BOOLEAN NOT NULL DEFAULT FALSE,
  PRIMARY KEY (usr, seq)
);
CREATE UNIQUE INDEX message_origin ON message (usr, outgoing, origin) WHERE origin <> '';
CREATE INDEX message_id ON message (usr, id) WHERE outgoing AND id <> '';
CREATE INDEX message_queued ON message (usr, seq) WHERE state = 'queued';

CREATE TABLE cursor (
  usr    TEXT   NOT NULL,
  client TEXT   NOT NULL,
  seq    BIGINT NOT NULL,
  missed BIGINT NOT NULL DEFAULT 0,           -- incoming messages after seq that retention removed
  PRIMARY KEY (usr, client)
);

CREATE TABLE resume (
  usr     TEXT  NOT NULL,
  network TEXT  NOT NULL,
  state   BYTEA NOT NULL,
  PRIMARY KEY (usr, network)
);

CREATE TABLE user_state (
  usr   TEXT  NOT NULL,
  key   TEXT  NOT NULL,
  value BYTEA NOT NULL,
  PRIMARY KEY (usr, key)
);
