-- Webhooks out and callbacks in.
--
-- Why deliveries are not written in the transaction of the append they are about: an append would
-- have to know every endpoint, and a busy server with none would pay for it. The journal keeps the
-- order of arrival; who follows it knows how far it has come, and makes deliveries with ids that
-- follow from what they are about, so that following twice makes none twice.

-- Whom events are sent to.
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
-- endpoints(): an organisation's, newest first.
CREATE INDEX webhook_endpoints_by_org ON webhook_endpoints (org, created_at DESC, id DESC);
-- endpoints_of_runs().
CREATE INDEX webhook_endpoints_by_run ON webhook_endpoints (run_id) WHERE run_id IS NOT NULL;

-- What was sent, or is to be: the log. What is to be sent stands in `outbox` too, under its id.
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
-- deliveries(): an organisation's, newest first.
CREATE INDEX webhook_deliveries_by_org
  ON webhook_deliveries (org, created_at DESC, id DESC);
-- deliveries() of one endpoint.
CREATE INDEX webhook_deliveries_by_endpoint
  ON webhook_deliveries (endpoint, created_at DESC, id DESC);
-- forget_deliveries(): those that ended long ago.
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;

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

-- Which run a vendor's job belongs to: an index of the journal's `attempt.accepted`.
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
-- job_of_attempt(): the newest job of an attempt.
CREATE INDEX callback_jobs_by_run ON callback_jobs (run_id, step, accepted_at DESC);

-- What came in: against replays, and for callbacks that came before their job was known.
CREATE TABLE callback_receipts (
  source      TEXT    NOT NULL,  -- who says so: n8n, fal …
  id          TEXT    NOT NULL,  -- their id of the message
  digest      TEXT    NOT NULL,  -- SHA-256 of its body
  job         TEXT,              -- what it is about, while nobody knows that job
  payload     TEXT,              -- what it says, while nobody knows that job
  received_at INTEGER NOT NULL,
  PRIMARY KEY (source, id)
) STRICT;
-- early_callbacks(): what was said about a job before it was known.
CREATE INDEX callback_receipts_by_job ON callback_receipts (source, job) WHERE job IS NOT NULL;
-- forget_receipts(): those that are too old to be replayed.
CREATE INDEX callback_receipts_by_age ON callback_receipts (received_at);
