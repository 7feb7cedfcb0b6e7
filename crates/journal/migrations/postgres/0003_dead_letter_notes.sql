-- Failures that a person has looked into without having the work done again: as on SQLite, which
-- says why.
CREATE TABLE dead_letter_notes (
  letter      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  org         TEXT COLLATE "C" NOT NULL,
  resolved_at BIGINT NOT NULL,
  resolved_by TEXT COLLATE "C" NOT NULL,
  notes       TEXT COLLATE "C" NOT NULL
);
