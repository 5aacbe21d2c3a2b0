-- The roster with its history, what it is sealed with, and what was erased.

-- +goose Up
-- Whoever gave the list answers for the consent of all whom it names, where
-- nothing is recorded of them.
ALTER TABLE households ADD COLUMN listed INTEGER NOT NULL DEFAULT 1;
ALTER TABLE households ADD COLUMN list INTEGER NOT NULL DEFAULT 1; -- 1: it came by a list that names all homes of its kind
ALTER TABLE households ADD COLUMN left_at BIGINT; -- NULL: in the roster
ALTER TABLE persons ADD COLUMN left_at BIGINT; -- NULL: in the roster

-- What people answered for until they did not any more. Apart from duties, so
-- that nobody is called who has left. Appended to.
CREATE TABLE past_duties (
  n            INTEGER PRIMARY KEY,
  person_id    TEXT NOT NULL,
  role         TEXT NOT NULL,
  unit_id      TEXT NOT NULL,
  household_id TEXT NOT NULL,
  ended_at     BIGINT NOT NULL
);
CREATE INDEX past_duties_person ON past_duties (person_id);

-- The keys with which something in the store is sealed: by name, with a value
-- that only the key opens.
CREATE TABLE seals (
  key_id TEXT PRIMARY KEY,
  proof  TEXT NOT NULL
);

-- Households that were erased, by a hash of their id: what still comes about
-- them is passed over, and a list that names them again is refused.
CREATE TABLE erased (
  mark TEXT PRIMARY KEY,
  at   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE erased;
DROP TABLE seals;
DROP TABLE past_duties;
ALTER TABLE persons DROP COLUMN left_at;
ALTER TABLE households DROP COLUMN left_at;
ALTER TABLE households DROP COLUMN list;
ALTER TABLE households DROP COLUMN listed;
