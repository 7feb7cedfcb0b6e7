-- Failures that a person has looked into without having the work done again.
--
-- Why beside the journal and not an event of the run: nothing happens to the run, and most such
-- runs have ended and take no events any more. A letter's id follows from the event that it is
-- about, so a note finds its letter again after the projections were made anew.
CREATE TABLE dead_letter_notes (
  letter      TEXT    NOT NULL PRIMARY KEY,
  org         TEXT    NOT NULL,
  resolved_at INTEGER NOT NULL,
  resolved_by TEXT    NOT NULL,
  notes       TEXT    NOT NULL
) STRICT;
