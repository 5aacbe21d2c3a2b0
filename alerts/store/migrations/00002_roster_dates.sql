-- Where each meter is, and when: one after the other.

-- +goose Up
CREATE TABLE homes (
  meter_id     TEXT NOT NULL,
  household_id TEXT NOT NULL REFERENCES households (id),
  area_id      TEXT NOT NULL,
  village_id   TEXT NOT NULL, -- '' when nobody answers for the home yet
  zone         TEXT NOT NULL,
  from_at      BIGINT NOT NULL, -- 0: always
  until_at     BIGINT, -- NULL: open
  PRIMARY KEY (meter_id, from_at)
);
CREATE INDEX homes_household ON homes (household_id, from_at);
CREATE INDEX homes_area ON homes (area_id);
INSERT INTO homes (meter_id, household_id, area_id, village_id, zone, from_at)
  SELECT m.id, h.id, h.area_id, COALESCE(h.village_id, ''), h.zone, 0 FROM meters m JOIN households h ON h.id = m.household_id;
DROP TABLE meters;

-- +goose Down
CREATE TABLE meters (
  id           TEXT PRIMARY KEY,
  household_id TEXT NOT NULL REFERENCES households (id)
);
CREATE INDEX meters_household ON meters (household_id);
INSERT INTO meters (id, household_id) SELECT meter_id, MAX(household_id) FROM homes WHERE until_at IS NULL GROUP BY meter_id;
DROP TABLE homes;
