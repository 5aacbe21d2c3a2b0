-- From finding to closed case: the roster with everybody around a home, what
-- became of each alert, and what each person is to be told.

-- +goose Up
ALTER TABLE villages RENAME TO units;
ALTER TABLE units ADD COLUMN level TEXT NOT NULL DEFAULT 'village'; -- city, county, town, village, cell
ALTER TABLE units ADD COLUMN parent_id TEXT; -- not referenced: lists come in any order
CREATE INDEX units_parent ON units (parent_id);

ALTER TABLE households ADD COLUMN cell_id TEXT NOT NULL DEFAULT '';
ALTER TABLE households ADD COLUMN address TEXT NOT NULL DEFAULT ''; -- sealed
ALTER TABLE households ADD COLUMN visit_every INTEGER NOT NULL DEFAULT 0; -- days
ALTER TABLE households ADD COLUMN erased_at BIGINT; -- NULL: not erased

-- A person, how to reach her, and what she answers for.
CREATE TABLE persons (
  id       TEXT PRIMARY KEY,
  name     TEXT NOT NULL, -- sealed
  lang     TEXT NOT NULL,
  hours    TEXT NOT NULL, -- as roster.ParseHours reads them
  holidays INTEGER NOT NULL, -- 1: off on public holidays
  stand_in TEXT NOT NULL,
  skills   TEXT NOT NULL
);
CREATE TABLE contacts (
  person_id  TEXT NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
  n          INTEGER NOT NULL, -- order of preference
  channel    TEXT NOT NULL,
  address    TEXT NOT NULL, -- sealed
  blind      TEXT NOT NULL, -- keyed hash of the address, to look up who has answered
  state      TEXT NOT NULL, -- '', good, wrong
  checked_at BIGINT,
  PRIMARY KEY (person_id, n)
);
CREATE INDEX contacts_blind ON contacts (blind);
CREATE TABLE duties (
  person_id    TEXT NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
  role         TEXT NOT NULL,
  unit_id      TEXT NOT NULL, -- '' for a role of households
  household_id TEXT NOT NULL, -- '' for a role of units
  n            INTEGER NOT NULL, -- who is called first
  PRIMARY KEY (person_id, role, unit_id, household_id)
);
CREATE INDEX duties_unit ON duties (unit_id, role);
CREATE INDEX duties_household ON duties (household_id, role);
CREATE TABLE leaves (
  person_id TEXT NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
  from_at   BIGINT NOT NULL,
  until_at  BIGINT NOT NULL,
  stand_in  TEXT NOT NULL,
  PRIMARY KEY (person_id, from_at)
);
INSERT INTO persons (id, name, lang, hours, holidays, stand_in, skills) SELECT id, name, lang, '', 0, '', '' FROM people;
INSERT INTO contacts (person_id, n, channel, address, blind, state) SELECT id, 0, channel, address, '', '' FROM people;
INSERT INTO duties (person_id, role, unit_id, household_id, n) SELECT id, role, COALESCE(village_id, ''), '', 0 FROM people;
DROP TABLE people;

-- What somebody has agreed to; a home without consent to be watched is not.
CREATE TABLE consents (
  n            INTEGER PRIMARY KEY,
  household_id TEXT NOT NULL REFERENCES households (id),
  scope        TEXT NOT NULL, -- watch, name, kin, curve
  from_at      BIGINT NOT NULL, -- 0: since ever
  until_at     BIGINT, -- NULL: open
  given_by     TEXT NOT NULL, -- a role
  recorded_at  BIGINT NOT NULL
);
CREATE INDEX consents_household ON consents (household_id);

-- Appended to, never changed.
CREATE TABLE screening (
  n            INTEGER PRIMARY KEY,
  household_id TEXT NOT NULL REFERENCES households (id),
  step         TEXT NOT NULL,
  verdict      TEXT NOT NULL,
  decided_by   TEXT NOT NULL,
  reason       TEXT NOT NULL, -- sealed
  at           BIGINT NOT NULL
);
CREATE INDEX screening_household ON screening (household_id);

CREATE TABLE services (
  id       TEXT PRIMARY KEY,
  unit_id  TEXT NOT NULL,
  name     TEXT NOT NULL,
  provider TEXT NOT NULL,
  contact  TEXT NOT NULL -- sealed
);
CREATE TABLE orders (
  id           TEXT PRIMARY KEY,
  household_id TEXT NOT NULL,
  service_id   TEXT NOT NULL,
  alert_id     TEXT NOT NULL,
  asked_at     BIGINT NOT NULL,
  done_at      BIGINT,
  note         TEXT NOT NULL -- sealed
);
CREATE INDEX orders_household ON orders (household_id);
CREATE TABLE plans (
  n            INTEGER PRIMARY KEY,
  household_id TEXT NOT NULL REFERENCES households (id),
  person_id    TEXT NOT NULL,
  service_id   TEXT NOT NULL,
  what         TEXT NOT NULL, -- sealed
  every_days   INTEGER NOT NULL,
  from_at      BIGINT NOT NULL,
  until_at     BIGINT
);
CREATE INDEX plans_household ON plans (household_id);

-- The household's file. Appended to; erasing a person empties the texts.
CREATE TABLE visits (
  id           TEXT PRIMARY KEY,
  household_id TEXT NOT NULL,
  alert_id     TEXT NOT NULL, -- '' without an alert
  person_id    TEXT NOT NULL,
  kind         TEXT NOT NULL,
  at           BIGINT NOT NULL,
  situation    TEXT NOT NULL, -- sealed, as the next two
  difficulty   TEXT NOT NULL,
  measure      TEXT NOT NULL
);
CREATE INDEX visits_household ON visits (household_id, at);

-- Who read or changed what about whom, and what for. Appended to.
CREATE TABLE audit (
  n       INTEGER PRIMARY KEY,
  at      BIGINT NOT NULL,
  actor   TEXT NOT NULL, -- person id, or the part of the system
  action  TEXT NOT NULL, -- read, write, erase
  purpose TEXT NOT NULL,
  subject TEXT NOT NULL, -- person:ID or household:ID
  fields  TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject);

-- What became of an alert.
ALTER TABLE alerts ADD COLUMN stage TEXT NOT NULL DEFAULT 'noted';
ALTER TABLE alerts ADD COLUMN chain TEXT NOT NULL DEFAULT ''; -- JSON, frozen
ALTER TABLE alerts ADD COLUMN step INTEGER NOT NULL DEFAULT 0; -- of the chain
ALTER TABLE alerts ADD COLUMN round INTEGER NOT NULL DEFAULT 0; -- how often the chain began
ALTER TABLE alerts ADD COLUMN step_at BIGINT; -- when its time to answer began
ALTER TABLE alerts ADD COLUMN rests INTEGER NOT NULL DEFAULT 0; -- 1: the end of the chain was reached
ALTER TABLE alerts ADD COLUMN helped INTEGER NOT NULL DEFAULT 0; -- 1: the resident has asked for help
ALTER TABLE alerts ADD COLUMN held_at BIGINT; -- since when the holder sees to it
ALTER TABLE alerts ADD COLUMN told_at BIGINT; -- when somebody was first to be told
ALTER TABLE alerts ADD COLUMN holder_id TEXT NOT NULL DEFAULT ''; -- who has said that she sees to it
ALTER TABLE alerts ADD COLUMN holder_role TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN silenced TEXT NOT NULL DEFAULT ''; -- why nobody is told, while so
ALTER TABLE alerts ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN handed_to TEXT NOT NULL DEFAULT ''; -- sealed
ALTER TABLE alerts ADD COLUMN follow_up_at BIGINT;
ALTER TABLE alerts ADD COLUMN closed_at BIGINT; -- NULL: not closed
ALTER TABLE alerts ADD COLUMN look_at BIGINT; -- when something is due; NULL: nothing ever
ALTER TABLE alerts ADD COLUMN continues TEXT NOT NULL DEFAULT ''; -- the alert that it took over from
UPDATE alerts SET stage = 'closed', outcome = 'unasked', closed_at = resolved_at WHERE resolved_at IS NOT NULL;
CREATE INDEX alerts_look ON alerts (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX alerts_unclosed ON alerts (household_id) WHERE closed_at IS NULL;
CREATE INDEX alerts_village ON alerts (village_id, opened_at);

ALTER TABLE history ADD COLUMN person_id TEXT NOT NULL DEFAULT ''; -- who did it; '' is the system

-- What a person is to be told of an alert. Several make one message.
CREATE TABLE tellings (
  n            INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  alert_id     TEXT NOT NULL REFERENCES alerts (id) DEFERRABLE INITIALLY DEFERRED,
  seq          INTEGER NOT NULL, -- transition
  round        INTEGER NOT NULL, -- round and step of the chain
  step         INTEGER NOT NULL,
  person_id    TEXT NOT NULL,
  role         TEXT NOT NULL,
  stands_in    TEXT NOT NULL, -- for whom; '' for herself
  village_id   TEXT NOT NULL, -- of an area's notice: which homes it names
  purpose      TEXT NOT NULL,
  severity     INTEGER NOT NULL,
  via          TEXT NOT NULL, -- channels that the policy asks for, in order, by commas
  only_via     INTEGER NOT NULL, -- 1: over no other channel
  digest       INTEGER NOT NULL, -- 1: waits for the day's summary
  created_at   BIGINT NOT NULL,
  due_at       BIGINT NOT NULL,
  status       TEXT NOT NULL, -- due, told, dropped, unreachable, off, declined
  message_id   TEXT NOT NULL, -- '' until told
  tried        TEXT NOT NULL -- channels that did not reach her, by commas
);
CREATE INDEX tellings_due ON tellings (due_at) WHERE status = 'due';
CREATE INDEX tellings_person ON tellings (person_id, due_at) WHERE status = 'due';
CREATE INDEX tellings_alert ON tellings (alert_id);
CREATE INDEX tellings_message ON tellings (message_id) WHERE message_id <> '';

-- How often somebody's phone has rung, by her own day.
CREATE TABLE pushes (
  person_id TEXT NOT NULL,
  day       TEXT NOT NULL, -- 2006-01-02
  count     INTEGER NOT NULL,
  burst_at  BIGINT NOT NULL, -- beginning of the last minute with messages
  burst     INTEGER NOT NULL, -- messages in it
  PRIMARY KEY (person_id, day)
);

-- What a link, a code or a key in a message means. Answers are kept.
CREATE TABLE questions (
  n          INTEGER PRIMARY KEY,
  alert_id   TEXT NOT NULL REFERENCES alerts (id) DEFERRABLE INITIALLY DEFERRED,
  message_id TEXT NOT NULL,
  person_id  TEXT NOT NULL, -- '' in a group: who answers says who she is
  actions    TEXT NOT NULL, -- what can be answered, in the order of the keys 1, 2, …
  asked_at   BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT, -- NULL: not yet
  used       TEXT NOT NULL -- what was answered
);
CREATE INDEX questions_alert ON questions (alert_id);
CREATE INDEX questions_message ON questions (message_id);
CREATE INDEX questions_person ON questions (person_id, asked_at);
ALTER TABLE outbox ADD COLUMN topic TEXT NOT NULL DEFAULT ''; -- of a record; '' is the topic of alerts

-- What the site has made for itself, such as the key that signs links.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL -- sealed
);

-- +goose Down
DROP TABLE settings;
ALTER TABLE outbox DROP COLUMN topic;
DROP TABLE questions;
DROP TABLE pushes;
DROP TABLE tellings;
ALTER TABLE history DROP COLUMN person_id;
DROP INDEX alerts_village;
DROP INDEX alerts_unclosed;
DROP INDEX alerts_look;
ALTER TABLE alerts DROP COLUMN continues;
ALTER TABLE alerts DROP COLUMN look_at;
ALTER TABLE alerts DROP COLUMN closed_at;
ALTER TABLE alerts DROP COLUMN follow_up_at;
ALTER TABLE alerts DROP COLUMN handed_to;
ALTER TABLE alerts DROP COLUMN outcome;
ALTER TABLE alerts DROP COLUMN silenced;
ALTER TABLE alerts DROP COLUMN reminded;
ALTER TABLE alerts DROP COLUMN holder_role;
ALTER TABLE alerts DROP COLUMN holder_id;
ALTER TABLE alerts DROP COLUMN told_at;
ALTER TABLE alerts DROP COLUMN held_at;
ALTER TABLE alerts DROP COLUMN helped;
ALTER TABLE alerts DROP COLUMN rests;
ALTER TABLE alerts DROP COLUMN step_at;
ALTER TABLE alerts DROP COLUMN round;
ALTER TABLE alerts DROP COLUMN step;
ALTER TABLE alerts DROP COLUMN chain;
ALTER TABLE alerts DROP COLUMN stage;
DROP TABLE audit;
DROP TABLE visits;
DROP TABLE plans;
DROP TABLE orders;
DROP TABLE services;
DROP TABLE screening;
DROP TABLE consents;
CREATE TABLE people (
  id         TEXT PRIMARY KEY,
  village_id TEXT REFERENCES units (id),
  role       TEXT NOT NULL,
  name       TEXT NOT NULL,
  channel    TEXT NOT NULL,
  address    TEXT NOT NULL,
  lang       TEXT NOT NULL
);
CREATE INDEX people_village ON people (village_id, role);
-- One duty and one contact of each: the older program knows no more.
INSERT INTO people (id, village_id, role, name, channel, address, lang)
  SELECT p.id, u.id, d.role, p.name, c.channel, c.address, p.lang
  FROM persons p
    JOIN (SELECT person_id, MIN(unit_id) AS unit_id, MIN(role) AS role FROM duties WHERE role IN ('chair', 'operator') GROUP BY person_id) d
      ON d.person_id = p.id
    JOIN contacts c ON c.person_id = p.id AND c.n = 0
    LEFT JOIN units u ON u.id = d.unit_id;
DROP TABLE leaves;
DROP TABLE duties;
DROP TABLE contacts;
DROP TABLE persons;
ALTER TABLE households DROP COLUMN erased_at;
ALTER TABLE households DROP COLUMN visit_every;
ALTER TABLE households DROP COLUMN address;
ALTER TABLE households DROP COLUMN cell_id;
DELETE FROM units WHERE level <> 'village';
DROP INDEX units_parent;
ALTER TABLE units DROP COLUMN parent_id;
ALTER TABLE units DROP COLUMN level;
ALTER TABLE units RENAME TO villages;

