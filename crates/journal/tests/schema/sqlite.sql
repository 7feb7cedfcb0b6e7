CREATE TABLE assets (
  run_id      TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  org         TEXT    NOT NULL,
  step        TEXT    NOT NULL,
  kind        TEXT    NOT NULL,
  mime        TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  bytes       INTEGER NOT NULL,
  sha256      TEXT    NOT NULL,
  width       INTEGER,
  height      INTEGER,
  duration_ms INTEGER,
  alt         TEXT,
  simulated   INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (run_id, id)
) STRICT;
CREATE TABLE brands (
  id         TEXT    NOT NULL PRIMARY KEY,
  org        TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  profile    TEXT    NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (org, name)
) STRICT;
CREATE TABLE cache (
  key        TEXT    NOT NULL PRIMARY KEY,
  output     TEXT    NOT NULL,
  assets     TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE callback_jobs (
  provider    TEXT    NOT NULL,
  job         TEXT    NOT NULL,
  run_id      TEXT    NOT NULL,
  org         TEXT    NOT NULL,
  step        TEXT    NOT NULL,
  token       TEXT    NOT NULL,
  accepted_at INTEGER NOT NULL,
  PRIMARY KEY (provider, job)
) STRICT;
CREATE TABLE callback_receipts (
  source      TEXT    NOT NULL,  -- who says so: n8n, fal …
  id          TEXT    NOT NULL,  -- their id of the message
  digest      TEXT    NOT NULL,  -- SHA-256 of its body
  job         TEXT,              -- what it is about, while nobody knows that job
  payload     TEXT,              -- what it says, while nobody knows that job
  received_at INTEGER NOT NULL,
  PRIMARY KEY (source, id)
) STRICT;
CREATE TABLE checkpoint_answers (
  run_id   TEXT    NOT NULL,
  step     TEXT    NOT NULL,
  seq      INTEGER NOT NULL,
  answer   TEXT    NOT NULL,
  decides  INTEGER NOT NULL,
  PRIMARY KEY (run_id, step, seq)
) STRICT;
CREATE TABLE checkpoints (
  run_id      TEXT    NOT NULL,
  step        TEXT    NOT NULL,
  seq         INTEGER NOT NULL,  -- the event that opened it: a step may ask more than once
  org         TEXT    NOT NULL,
  question    TEXT    NOT NULL,
  question_ja TEXT,
  show        TEXT    NOT NULL,
  digest      TEXT    NOT NULL,
  options     TEXT    NOT NULL,
  roles       TEXT    NOT NULL,
  quorum      INTEGER NOT NULL,
  opened_at   INTEGER NOT NULL,
  until       INTEGER,
  escalated   TEXT,
  status      TEXT    NOT NULL,
  closed_at   INTEGER,
  PRIMARY KEY (run_id, step, seq)
) STRICT;
CREATE TABLE dead_letter_notes (
  letter      TEXT    NOT NULL PRIMARY KEY,
  org         TEXT    NOT NULL,
  resolved_at INTEGER NOT NULL,
  resolved_by TEXT    NOT NULL,
  notes       TEXT    NOT NULL
) STRICT;
CREATE TABLE dead_letters (
  id         TEXT    NOT NULL PRIMARY KEY,
  run_id     TEXT    NOT NULL,
  org        TEXT    NOT NULL,
  step       TEXT    NOT NULL,
  agent      TEXT    NOT NULL,
  class      TEXT    NOT NULL,
  code       TEXT    NOT NULL,
  message    TEXT    NOT NULL,
  attempts   INTEGER NOT NULL,
  snapshot   TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  resolved_at INTEGER,
  resolution TEXT
) STRICT;
CREATE TABLE definitions (
  org        TEXT    NOT NULL,
  slug       TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  digest     TEXT    NOT NULL,
  source     TEXT    NOT NULL,
  status     TEXT    NOT NULL,  -- draft, published, archived; everything else never changes
  created_at INTEGER NOT NULL,
  created_by TEXT    NOT NULL,
  PRIMARY KEY (org, slug, version)
) STRICT;
CREATE TABLE idempotency (
  scope       TEXT    NOT NULL,
  key         TEXT    NOT NULL,
  fingerprint TEXT    NOT NULL,
  run_id      TEXT    NOT NULL,
  response    TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
  no        INTEGER PRIMARY KEY,  -- order of arrival over all runs
  run_id    TEXT    NOT NULL,
  seq_first INTEGER NOT NULL,
  seq_last  INTEGER NOT NULL,
  at_us     INTEGER NOT NULL,
  hash      BLOB    NOT NULL,     -- chained per run; see chain()
  body      TEXT,                 -- JSON array of events, exactly as hashed; NULL when in objects
  object    TEXT                  -- digest of the body in object storage
) STRICT;
CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
  id           TEXT    NOT NULL PRIMARY KEY,
  run_id       TEXT    NOT NULL,
  seq          INTEGER NOT NULL,
  topic        TEXT    NOT NULL,
  payload      TEXT    NOT NULL,
  due_at       INTEGER NOT NULL,
  attempts     INTEGER NOT NULL DEFAULT 0,
  lease_epoch  INTEGER,
  lease_until  INTEGER,
  last_error   TEXT,
  delivered_at INTEGER
) STRICT;
CREATE TABLE run_labels (
  run_id TEXT NOT NULL,
  key    TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
  no              INTEGER PRIMARY KEY,  -- the writer finds the row by it; means nothing else
  id              TEXT    NOT NULL UNIQUE,
  org             TEXT    NOT NULL,
  slug            TEXT    NOT NULL,
  version         INTEGER NOT NULL,
  digest          TEXT    NOT NULL,
  title           TEXT,
  labels          TEXT    NOT NULL,
  started_by      TEXT    NOT NULL,
  parent_run      TEXT,
  parent_step     TEXT,
  forked_from     TEXT,
  started_at      INTEGER NOT NULL,
  deadline        INTEGER,
  budget_cost     INTEGER,
  budget_tokens   INTEGER,
  priority        INTEGER NOT NULL,
  -- written with every append; none of these is indexed
  phase           TEXT,
  seq             INTEGER NOT NULL,
  last_hash       BLOB    NOT NULL,
  updated_at      INTEGER NOT NULL,
  due             INTEGER NOT NULL,
  waits           TEXT,
  spent_cost      INTEGER NOT NULL,
  spent_tokens    INTEGER NOT NULL,
  reserved_cost   INTEGER NOT NULL,
  reserved_tokens INTEGER NOT NULL,
  simulated       INTEGER NOT NULL,
  -- written when they change; indexed
  status          TEXT    NOT NULL,
  wake_at         INTEGER,
  open            INTEGER NOT NULL,
  -- written at the end
  delivered_at    INTEGER,
  ended_at        INTEGER,
  failure         TEXT,
  output          TEXT,
  output_object   TEXT,
  close_reason    TEXT,
  closed_by       TEXT
) STRICT;
CREATE TABLE spend (
  org    TEXT    NOT NULL,
  day    INTEGER NOT NULL,  -- days since 1970, UTC
  cost   INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  PRIMARY KEY (org, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE steps (
  run_id       TEXT    NOT NULL,
  position     INTEGER NOT NULL,
  key          TEXT    NOT NULL,
  def          TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  agent        TEXT,
  label_en     TEXT    NOT NULL,
  label_ja     TEXT,
  phase        TEXT,
  status       TEXT    NOT NULL,
  attempt      INTEGER NOT NULL,
  since        INTEGER NOT NULL,
  started_at   INTEGER,
  ended_at     INTEGER,
  failure      TEXT,
  spent_cost   INTEGER NOT NULL,
  spent_tokens INTEGER NOT NULL,
  wait         TEXT,
  PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens (
  id         TEXT    NOT NULL PRIMARY KEY,
  org        TEXT    NOT NULL,
  principal  TEXT    NOT NULL,
  roles      TEXT    NOT NULL,
  digest     TEXT    NOT NULL UNIQUE,  -- SHA-256 of the token; the token itself is not kept
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
CREATE TABLE webhook_attempts (
  delivery    TEXT    NOT NULL,
  no          INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  status      INTEGER,           -- NULL: there was no answer
  duration_ms INTEGER NOT NULL,
  error       TEXT,
  excerpt     TEXT,              -- the beginning of the answer's body
  PRIMARY KEY (delivery, no)
) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_deliveries (
  id          TEXT    NOT NULL PRIMARY KEY,
  org         TEXT    NOT NULL,
  endpoint    TEXT    NOT NULL,
  message     TEXT    NOT NULL,  -- `webhook-id`: the same for all endpoints, attempts and resends
  type        TEXT    NOT NULL,
  run_id      TEXT,
  seq         INTEGER NOT NULL,
  body        TEXT    NOT NULL,  -- exactly as it is signed and sent
  status      TEXT    NOT NULL,  -- pending, delivered, failed
  attempts    INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  next_at     INTEGER,
  ended_at    INTEGER,
  last_status INTEGER,
  last_error  TEXT
) STRICT;
CREATE TABLE webhook_endpoints (
  id                  TEXT    NOT NULL PRIMARY KEY,
  org                 TEXT    NOT NULL,
  url                 TEXT    NOT NULL,
  description         TEXT    NOT NULL,
  events              TEXT    NOT NULL,  -- JSON array of event types; empty for all
  run_id              TEXT,              -- only what happens to this run
  secret              TEXT,              -- NULL: unsigned, for the callback URL of a run
  secret_before       TEXT,              -- signs as well until then
  secret_before_until INTEGER,
  status              TEXT    NOT NULL,  -- enabled, disabled
  disabled_why        TEXT,
  failing_since       INTEGER,           -- of the first failure after the last success
  held_until          INTEGER,           -- it asked to be left alone
  created_at          INTEGER NOT NULL,
  created_by          TEXT    NOT NULL,
  updated_at          INTEGER NOT NULL
) STRICT;
CREATE INDEX assets_by_id ON assets (id);
CREATE INDEX callback_jobs_by_run ON callback_jobs (run_id, step, accepted_at DESC);
CREATE INDEX callback_receipts_by_age ON callback_receipts (received_at);
CREATE INDEX callback_receipts_by_job ON callback_receipts (source, job) WHERE job IS NOT NULL;
CREATE INDEX checkpoints_by_status ON checkpoints (org, status, opened_at);
CREATE INDEX dead_letters_by_org ON dead_letters (org, created_at DESC);
CREATE INDEX dead_letters_by_step ON dead_letters (run_id, step);
CREATE UNIQUE INDEX journal_by_run ON journal (run_id, seq_first);
CREATE INDEX outbox_due ON outbox (due_at) WHERE delivered_at IS NULL;
CREATE INDEX runs_by_end ON runs (org, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX runs_by_parent ON runs (parent_run) WHERE parent_run IS NOT NULL;
CREATE INDEX runs_by_start ON runs (org, started_at DESC, id DESC);
CREATE INDEX runs_by_status ON runs (org, status, started_at DESC, id DESC);
CREATE INDEX runs_by_wake ON runs (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX runs_open ON runs (id) WHERE open = 1;
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_endpoint
  ON webhook_deliveries (endpoint, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_by_org
  ON webhook_deliveries (org, created_at DESC, id DESC);
CREATE INDEX webhook_endpoints_by_org ON webhook_endpoints (org, created_at DESC, id DESC);
CREATE INDEX webhook_endpoints_by_run ON webhook_endpoints (run_id) WHERE run_id IS NOT NULL;
