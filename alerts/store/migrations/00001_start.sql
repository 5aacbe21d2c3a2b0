-- Times are unix milliseconds, UTC. Only what SQLite and PostgreSQL both
-- understand, but for the types, which postgres_schema.go puts in PostgreSQL's
-- words: "INTEGER PRIMARY KEY" numbers rows by itself on both.

-- +goose Up

-- The roster: the only tables that say who people are.
CREATE TABLE villages (
  id   TEXT PRIMARY KEY,
  name TEXT NOT NULL
);

CREATE TABLE households (
  id         TEXT PRIMARY KEY,
  village_id TEXT REFERENCES villages (id),
  area_id    TEXT NOT NULL,
  label      TEXT NOT NULL,
  zone       TEXT NOT NULL
);
CREATE INDEX households_area ON households (area_id);
CREATE INDEX households_village ON households (village_id);

CREATE TABLE meters (
  id           TEXT PRIMARY KEY,
  household_id TEXT NOT NULL REFERENCES households (id)
);
CREATE INDEX meters_household ON meters (household_id);

CREATE TABLE people (
  id         TEXT PRIMARY KEY,
  village_id TEXT REFERENCES villages (id),
  role       TEXT NOT NULL,
  name       TEXT NOT NULL,
  channel    TEXT NOT NULL,
  address    TEXT NOT NULL,
  lang       TEXT NOT NULL
);
CREATE INDEX people_village ON people (village_id, role);

-- One row per episode. Households are not referenced: one that the roster
-- does not know gets its alert all the same.
CREATE TABLE alerts (
  id           TEXT PRIMARY KEY,
  subject      TEXT NOT NULL,
  household_id TEXT NOT NULL, -- '' for an area's notice
  area_id      TEXT NOT NULL,
  village_id   TEXT NOT NULL,
  kind         TEXT NOT NULL,
  severity     INTEGER NOT NULL, -- 1 blue to 4 red
  onset        BIGINT NOT NULL,
  opened_at    BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL,
  resolved_at  BIGINT, -- NULL while open
  last_seq     INTEGER NOT NULL,
  finding      TEXT NOT NULL, -- JSON of the last open or update
  ending       TEXT -- JSON of the resolving finding
);
CREATE UNIQUE INDEX alerts_open ON alerts (subject) WHERE resolved_at IS NULL;
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX alerts_household ON alerts (household_id, opened_at);

CREATE TABLE transitions (
  n           INTEGER PRIMARY KEY,
  alert_id    TEXT NOT NULL REFERENCES alerts (id) DEFERRABLE INITIALLY DEFERRED,
  seq         INTEGER NOT NULL,
  finding     TEXT NOT NULL, -- JSON, verbatim
  recorded_at BIGINT NOT NULL,
  UNIQUE (alert_id, seq)
);

-- Appended to, never changed.
CREATE TABLE history (
  n           INTEGER PRIMARY KEY,
  alert_id    TEXT NOT NULL REFERENCES alerts (id) DEFERRABLE INITIALLY DEFERRED,
  seq         INTEGER NOT NULL,
  event       TEXT NOT NULL,
  at          BIGINT NOT NULL,
  detail      TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX history_alert ON history (alert_id);

-- Messages stay, as a record of who was told; records for the topic go as
-- soon as the broker has them, for transitions holds the same.
CREATE TABLE outbox (
  n            INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  lane         TEXT NOT NULL, -- 'message' or 'topic'
  alert_id     TEXT NOT NULL REFERENCES alerts (id) DEFERRABLE INITIALLY DEFERRED,
  seq          INTEGER NOT NULL,
  person_id    TEXT NOT NULL, -- not referenced: the operator may come from configuration
  channel      TEXT NOT NULL,
  rank         INTEGER NOT NULL, -- 0 first contact, 1 follow-up, 2 all clear
  severity     INTEGER NOT NULL,
  payload      TEXT NOT NULL, -- JSON, without the person's address
  created_at   BIGINT NOT NULL,
  due_at       BIGINT NOT NULL,
  deadline_at  BIGINT NOT NULL,
  attempts     INTEGER NOT NULL,
  attempted_at BIGINT, -- first attempt
  status       TEXT NOT NULL, -- waiting, sent, dead
  done_at      BIGINT,
  last_error   TEXT NOT NULL
);
CREATE INDEX outbox_waiting ON outbox (lane, channel, due_at) WHERE status = 'waiting';
CREATE INDEX outbox_told ON outbox (alert_id, person_id);

-- The latest report of each incident, with the parts that never enter the stream.
CREATE TABLE incidents (
  id            TEXT PRIMARY KEY,
  source        TEXT NOT NULL,
  class         TEXT NOT NULL,
  state         TEXT NOT NULL,
  level         TEXT NOT NULL,
  scope         TEXT NOT NULL, -- JSON
  from_at       BIGINT NOT NULL,
  until_at      BIGINT, -- NULL: open end
  published_at  BIGINT, -- NULL: not said
  text          TEXT NOT NULL,
  reporter_role TEXT NOT NULL,
  extra         TEXT NOT NULL, -- JSON object of unknown fields
  received_at   BIGINT NOT NULL
);

-- Use beside the usual band, one packed row per household and UTC day.
CREATE TABLE use_history (
  n            INTEGER PRIMARY KEY,
  household_id TEXT NOT NULL,
  day          BIGINT NOT NULL, -- days since 1970
  points       BLOB NOT NULL,
  UNIQUE (household_id, day)
);
CREATE INDEX use_history_day ON use_history (day);

-- +goose Down
DROP TABLE use_history;
DROP TABLE incidents;
DROP TABLE outbox;
DROP TABLE history;
DROP TABLE transitions;
DROP TABLE alerts;
DROP TABLE people;
DROP TABLE meters;
DROP TABLE households;
DROP TABLE villages;
