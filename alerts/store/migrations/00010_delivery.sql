-- What vendors say of messages, and how often they are asked.

-- +goose Up
ALTER TABLE outbox ADD COLUMN vendor_id TEXT NOT NULL DEFAULT ''; -- of the receipt, for reports that come later
ALTER TABLE outbox ADD COLUMN reason TEXT NOT NULL DEFAULT ''; -- of the last failure, from a closed set
CREATE INDEX outbox_vendor ON outbox (channel, vendor_id) WHERE vendor_id <> '';

-- Attempts, as long as a limit may count them.
CREATE TABLE attempts (
  n       INTEGER PRIMARY KEY,
  message BIGINT NOT NULL, -- outbox.n; not referenced
  channel TEXT NOT NULL,
  target  TEXT NOT NULL, -- keyed hash of the address
  at      BIGINT NOT NULL -- when it began, then when it ended
);
CREATE INDEX attempts_target ON attempts (channel, target, at);
CREATE INDEX attempts_channel ON attempts (channel, at);
CREATE INDEX attempts_message ON attempts (message);
CREATE INDEX attempts_at ON attempts (at);

-- Addresses that a vendor wants left alone.
CREATE TABLE holds (
  channel  TEXT NOT NULL,
  target   TEXT NOT NULL,
  until_at BIGINT NOT NULL,
  PRIMARY KEY (channel, target)
);

-- Keys that never leave the store.
CREATE TABLE hash_keys (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
);

-- +goose Down
DROP TABLE hash_keys;
DROP TABLE holds;
DROP TABLE attempts;
DROP INDEX outbox_vendor;
ALTER TABLE outbox DROP COLUMN reason;
ALTER TABLE outbox DROP COLUMN vendor_id;
UPDATE outbox SET status = 'sent' WHERE status = 'delivered';
