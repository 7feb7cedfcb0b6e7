-- The journal, what is derived from it, and the small tables beside it: as on SQLite, which says
-- why each table is as it is. Only kinds of values that both have: text, 64-bit integers, bytes.
-- Text is compared byte by byte, so that pages and keys are in the same order on both.
-- Instants are microseconds since 1970 UTC, money is millionths of a US dollar, JSON is text.

-- ---- truth ---------------------------------------------------------------------------------

CREATE TABLE journal (
  no        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- order of arrival over all runs
  run_id    TEXT COLLATE "C"    NOT NULL,
  seq_first BIGINT NOT NULL,
  seq_last  BIGINT NOT NULL,
  at_us     BIGINT NOT NULL,
  hash      BYTEA    NOT NULL,     -- chained per run; see chain()
  body      TEXT COLLATE "C",                 -- JSON array of events, exactly as hashed; NULL when in objects
  object    TEXT COLLATE "C"                  -- digest of the body in object storage
);
-- read(): the events of a run in order. Also refuses a second append at the same place.
CREATE UNIQUE INDEX journal_by_run ON journal (run_id, seq_first);

-- Who may write. Every transaction of the writer checks its epoch here and counts on: one that was
-- sent before another took over, or after one that failed, changes nothing.
CREATE TABLE owner (
  id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  epoch   BIGINT NOT NULL,
  commits BIGINT NOT NULL
);
INSERT INTO owner (id, epoch, commits) VALUES (1, 0, 0);

CREATE FUNCTION journal_guard(own_epoch BIGINT, own_commits BIGINT) RETURNS VOID AS $guard$
DECLARE
  found_epoch BIGINT;
BEGIN
  UPDATE owner SET commits = own_commits + 1
    WHERE id = 1 AND epoch = own_epoch AND commits = own_commits;
  IF NOT FOUND THEN
    SELECT epoch INTO found_epoch FROM owner WHERE id = 1;
    IF found_epoch = own_epoch THEN
      RAISE EXCEPTION 'the transaction before this one failed' USING ERRCODE = 'SR002';
    END IF;
    RAISE EXCEPTION 'another process owns the journal' USING ERRCODE = 'SR001';
  END IF;
END
$guard$ LANGUAGE plpgsql;

-- ---- projections: can be made again from the journal --------------------------------------------

CREATE TABLE runs (
  id              TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  org             TEXT COLLATE "C"    NOT NULL,
  slug            TEXT COLLATE "C"    NOT NULL,
  version         BIGINT NOT NULL,
  digest          TEXT COLLATE "C"    NOT NULL,
  title           TEXT COLLATE "C",
  labels          TEXT COLLATE "C"    NOT NULL,
  started_by      TEXT COLLATE "C"    NOT NULL,
  parent_run      TEXT COLLATE "C",
  parent_step     TEXT COLLATE "C",
  forked_from     TEXT COLLATE "C",
  started_at      BIGINT NOT NULL,
  deadline        BIGINT,
  budget_cost     BIGINT,
  budget_tokens   BIGINT,
  priority        BIGINT NOT NULL,
  -- written with every append; none of these is indexed
  phase           TEXT COLLATE "C",
  seq             BIGINT NOT NULL,
  last_hash       BYTEA    NOT NULL,
  updated_at      BIGINT NOT NULL,
  due             BIGINT NOT NULL,
  waits           TEXT COLLATE "C",
  spent_cost      BIGINT NOT NULL,
  spent_tokens    BIGINT NOT NULL,
  reserved_cost   BIGINT NOT NULL,
  reserved_tokens BIGINT NOT NULL,
  simulated       BIGINT NOT NULL,
  -- written when they change; indexed
  status          TEXT COLLATE "C"    NOT NULL,
  wake_at         BIGINT,
  open            BIGINT NOT NULL,
  -- written at the end
  delivered_at    BIGINT,
  ended_at        BIGINT,
  failure         TEXT COLLATE "C",
  output          TEXT COLLATE "C",
  output_object   TEXT COLLATE "C",
  close_reason    TEXT COLLATE "C",
  closed_by       TEXT COLLATE "C"
);
-- Both change with every step; free space on the page keeps their new versions beside the old.
ALTER TABLE runs SET (fillfactor = 60);
-- list_runs(): an organisation's runs, newest first.
CREATE INDEX runs_by_start ON runs (org, started_at DESC, id DESC);
-- list_runs() with a status; home(): how many run, how many wait.
CREATE INDEX runs_by_status ON runs (org, status, started_at DESC, id DESC);
-- next_wake_at() and runs_to_wake(): runs that wait for a time.
CREATE INDEX runs_by_wake ON runs (wake_at) WHERE wake_at IS NOT NULL;
-- runs_to_recover(): after a start, every run that is not over.
CREATE INDEX runs_open ON runs (id) WHERE open = 1;
-- home(): what ended since yesterday, however much has ended before.
CREATE INDEX runs_by_end ON runs (org, ended_at) WHERE ended_at IS NOT NULL;
-- list_runs() with a parent: the runs that a run started.
CREATE INDEX runs_by_parent ON runs (parent_run) WHERE parent_run IS NOT NULL;

CREATE TABLE run_labels (
  run_id TEXT COLLATE "C" NOT NULL,
  key    TEXT COLLATE "C" NOT NULL,
  value  TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (run_id, key)
);

CREATE TABLE steps (
  run_id       TEXT COLLATE "C"    NOT NULL,
  position     BIGINT NOT NULL,
  key          TEXT COLLATE "C"    NOT NULL,
  def          TEXT COLLATE "C"    NOT NULL,
  kind         TEXT COLLATE "C"    NOT NULL,
  agent        TEXT COLLATE "C",
  label_en     TEXT COLLATE "C"    NOT NULL,
  label_ja     TEXT COLLATE "C",
  phase        TEXT COLLATE "C",
  status       TEXT COLLATE "C"    NOT NULL,
  attempt      BIGINT NOT NULL,
  since        BIGINT NOT NULL,
  started_at   BIGINT,
  ended_at     BIGINT,
  failure      TEXT COLLATE "C",
  spent_cost   BIGINT NOT NULL,
  spent_tokens BIGINT NOT NULL,
  wait         TEXT COLLATE "C",
  PRIMARY KEY (run_id, position)
);

CREATE TABLE checkpoints (
  run_id      TEXT COLLATE "C"    NOT NULL,
  step        TEXT COLLATE "C"    NOT NULL,
  seq         BIGINT NOT NULL,  -- the event that opened it: a step may ask more than once
  org         TEXT COLLATE "C"    NOT NULL,
  question    TEXT COLLATE "C"    NOT NULL,
  question_ja TEXT COLLATE "C",
  show        TEXT COLLATE "C"    NOT NULL,
  digest      TEXT COLLATE "C"    NOT NULL,
  options     TEXT COLLATE "C"    NOT NULL,
  roles       TEXT COLLATE "C"    NOT NULL,
  quorum      BIGINT NOT NULL,
  opened_at   BIGINT NOT NULL,
  until       BIGINT,
  escalated   TEXT COLLATE "C",
  status      TEXT COLLATE "C"    NOT NULL,
  closed_at   BIGINT,
  PRIMARY KEY (run_id, step, seq)
);
-- open_checkpoints(): what waits for people, oldest first.
CREATE INDEX checkpoints_by_status ON checkpoints (org, status, opened_at);

CREATE TABLE checkpoint_answers (
  run_id   TEXT COLLATE "C"    NOT NULL,
  step     TEXT COLLATE "C"    NOT NULL,
  seq      BIGINT NOT NULL,
  answer   TEXT COLLATE "C"    NOT NULL,
  decides  BIGINT NOT NULL,
  PRIMARY KEY (run_id, step, seq)
);

CREATE TABLE assets (
  run_id      TEXT COLLATE "C"    NOT NULL,
  id          TEXT COLLATE "C"    NOT NULL,
  org         TEXT COLLATE "C"    NOT NULL,
  step        TEXT COLLATE "C"    NOT NULL,
  kind        TEXT COLLATE "C"    NOT NULL,
  mime        TEXT COLLATE "C"    NOT NULL,
  name        TEXT COLLATE "C"    NOT NULL,
  bytes       BIGINT NOT NULL,
  sha256      TEXT COLLATE "C"    NOT NULL,
  width       BIGINT,
  height      BIGINT,
  duration_ms BIGINT,
  alt         TEXT COLLATE "C",
  simulated   BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (run_id, id)
);
-- asset(): by its id alone. A fork shows the assets it took over, so an id may stand twice.
CREATE INDEX assets_by_id ON assets (id);

CREATE TABLE dead_letters (
  id         TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  run_id     TEXT COLLATE "C"    NOT NULL,
  org        TEXT COLLATE "C"    NOT NULL,
  step       TEXT COLLATE "C"    NOT NULL,
  agent      TEXT COLLATE "C"    NOT NULL,
  class      TEXT COLLATE "C"    NOT NULL,
  code       TEXT COLLATE "C"    NOT NULL,
  message    TEXT COLLATE "C"    NOT NULL,
  attempts   BIGINT NOT NULL,
  snapshot   TEXT COLLATE "C"    NOT NULL,
  created_at BIGINT NOT NULL,
  resolved_at BIGINT,
  resolution TEXT COLLATE "C"
);
-- dead_letters(): an organisation's, newest first.
CREATE INDEX dead_letters_by_org ON dead_letters (org, created_at DESC);
-- A retry or skip resolves those of its step.
CREATE INDEX dead_letters_by_step ON dead_letters (run_id, step);

CREATE TABLE spend (
  org    TEXT COLLATE "C"    NOT NULL,
  day    BIGINT NOT NULL,  -- days since 1970, UTC
  cost   BIGINT NOT NULL,
  tokens BIGINT NOT NULL,
  PRIMARY KEY (org, day)
);

-- ---- beside the journal, written in the same transactions ------------------------------------

CREATE TABLE outbox (
  id           TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  run_id       TEXT COLLATE "C"    NOT NULL,
  seq          BIGINT NOT NULL,
  topic        TEXT COLLATE "C"    NOT NULL,
  payload      TEXT COLLATE "C"    NOT NULL,
  due_at       BIGINT NOT NULL,
  attempts     BIGINT NOT NULL DEFAULT 0,
  lease_epoch  BIGINT,
  lease_until  BIGINT,
  last_error   TEXT COLLATE "C",
  delivered_at BIGINT 
);
-- claim_outbox(): what is due and not delivered.
CREATE INDEX outbox_due ON outbox (due_at) WHERE delivered_at IS NULL;

CREATE TABLE idempotency (
  scope       TEXT COLLATE "C"    NOT NULL,
  key         TEXT COLLATE "C"    NOT NULL,
  fingerprint TEXT COLLATE "C"    NOT NULL,
  run_id      TEXT COLLATE "C"    NOT NULL,
  response    TEXT COLLATE "C"    NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
);

CREATE TABLE definitions (
  org        TEXT COLLATE "C"    NOT NULL,
  slug       TEXT COLLATE "C"    NOT NULL,
  version    BIGINT NOT NULL,
  digest     TEXT COLLATE "C"    NOT NULL,
  source     TEXT COLLATE "C"    NOT NULL,
  status     TEXT COLLATE "C"    NOT NULL,  -- draft, published, archived; everything else never changes
  created_at BIGINT NOT NULL,
  created_by TEXT COLLATE "C"    NOT NULL,
  PRIMARY KEY (org, slug, version)
);

CREATE TABLE tokens (
  id         TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  org        TEXT COLLATE "C"    NOT NULL,
  principal  TEXT COLLATE "C"    NOT NULL,
  roles      TEXT COLLATE "C"    NOT NULL,
  digest     TEXT COLLATE "C"    NOT NULL UNIQUE,  -- SHA-256 of the token; the token itself is not kept
  created_at BIGINT NOT NULL,
  revoked_at BIGINT 
);

CREATE TABLE brands (
  id         TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  org        TEXT COLLATE "C"    NOT NULL,
  name       TEXT COLLATE "C"    NOT NULL,
  profile    TEXT COLLATE "C"    NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (org, name)
);

CREATE TABLE cache (
  key        TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  output     TEXT COLLATE "C"    NOT NULL,
  assets     TEXT COLLATE "C"    NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE meta (
  key   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  value TEXT COLLATE "C" NOT NULL
);
