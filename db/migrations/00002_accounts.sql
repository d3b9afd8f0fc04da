-- The Account Information Server. Nothing here opens an account without the key file, which is kept elsewhere.
-- +goose Up

CREATE TABLE account (
  usr      TEXT   PRIMARY KEY,                -- user number
  name     TEXT   NOT NULL,
  language TEXT   NOT NULL,
  pin      TEXT   NOT NULL,                   -- Argon2id over HMAC(pepper, PIN), with its parameters
  made     BIGINT NOT NULL
);

-- Logins at external services. The secret is sealed for this account and network.
CREATE TABLE login (
  usr     TEXT  NOT NULL,
  network TEXT  NOT NULL,
  id      TEXT  NOT NULL,
  server  TEXT  NOT NULL,
  secret  BYTEA NOT NULL,
  PRIMARY KEY (usr, network)
);

-- Caller ids that an administrator bound to an account.
CREATE TABLE caller (
  caller TEXT NOT NULL,
  usr    TEXT NOT NULL,
  PRIMARY KEY (caller, usr)
);
CREATE INDEX caller_usr ON caller (usr);

-- Callers from which somebody logged in rightly; only a keyed hash of them.
CREATE TABLE known_caller (
  usr  TEXT   NOT NULL,
  mark TEXT   NOT NULL,
  used BIGINT NOT NULL,
  PRIMARY KEY (usr, mark)
);

-- Failed logins since the last good one, also of numbers that nobody has. bucket is '' for strangers, else a known caller.
CREATE TABLE attempt (
  usr      TEXT   NOT NULL,
  bucket   TEXT   NOT NULL,
  failures BIGINT NOT NULL,
  next     BIGINT NOT NULL,                   -- no try is taken before
  last     BIGINT NOT NULL,
  PRIMARY KEY (usr, bucket)
);

-- Failed logins of strangers on the whole, by minute.
CREATE TABLE guess (
  minute BIGINT PRIMARY KEY,
  tries  BIGINT NOT NULL,
  last   BIGINT NOT NULL
);

-- Tickets that any node may redeem and one has; a node that serves alone remembers them in memory.
CREATE TABLE spent_ticket (
  id   TEXT   PRIMARY KEY,
  ends BIGINT NOT NULL
);

-- What tells whether a key file belongs to this database.
CREATE TABLE key_check (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
