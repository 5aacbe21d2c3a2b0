-- Who, in a group, could not show that she is who she says. Appended to.

-- +goose Up
CREATE TABLE tries (
  n         INTEGER PRIMARY KEY,
  question  BIGINT NOT NULL,
  person_id TEXT NOT NULL, -- for whom she gave herself out
  at        BIGINT NOT NULL
);
CREATE INDEX tries_question ON tries (question);

-- +goose Down
DROP TABLE tries;
-- The older program knows one answer of a question, its last.
UPDATE questions SET used = SUBSTR(used, 1 + LENGTH(RTRIM(used, REPLACE(used, ',', '')))) WHERE used LIKE '%,%';
