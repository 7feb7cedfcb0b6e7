-- Webhooks out and callbacks in.
--
-- Why deliveries are not written in the transaction of the append they are about: an append would
-- have to know every endpoint, and a busy server with none would pay for it. The journal keeps the
-- order of arrival; who follows it knows how far it has come, and makes deliveries with ids that
-- follow from what they are about, so that following twice makes none twice.

-- Whom events are sent to.
CREATE TABLE webhook_endpoints (
  id                  TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  org                 TEXT COLLATE "C"    NOT NULL,
  url                 TEXT COLLATE "C"    NOT NULL,
  description         TEXT COLLATE "C"    NOT NULL,
  events              TEXT COLLATE "C"    NOT NULL,  -- JSON array of event types; empty for all
  run_id              TEXT COLLATE "C",              -- only what happens to this run
  secret              TEXT COLLATE "C",              -- NULL: unsigned, for the callback URL of a run
  secret_before       TEXT COLLATE "C",              -- signs as well until then
  secret_before_until BIGINT ,
  status              TEXT COLLATE "C"    NOT NULL,  -- enabled, disabled
  disabled_why        TEXT COLLATE "C",
  failing_since       BIGINT ,           -- of the first failure after the last success
  held_until          BIGINT ,           -- it asked to be left alone
  created_at          BIGINT  NOT NULL,
  created_by          TEXT COLLATE "C"    NOT NULL,
  updated_at          BIGINT  NOT NULL
);
-- endpoints(): an organisation's, newest first.
CREATE INDEX webhook_endpoints_by_org ON webhook_endpoints (org, created_at DESC, id DESC);
-- endpoints_of_runs().
CREATE INDEX webhook_endpoints_by_run ON webhook_endpoints (run_id) WHERE run_id IS NOT NULL;

-- What was sent, or is to be: the log. What is to be sent stands in `outbox` too, under its id.
CREATE TABLE webhook_deliveries (
  id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  org         TEXT COLLATE "C"    NOT NULL,
  endpoint    TEXT COLLATE "C"    NOT NULL,
  message     TEXT COLLATE "C"    NOT NULL,  -- `webhook-id`: the same for all endpoints, attempts and resends
  type        TEXT COLLATE "C"    NOT NULL,
  run_id      TEXT COLLATE "C",
  seq         BIGINT  NOT NULL,
  body        TEXT COLLATE "C"    NOT NULL,  -- exactly as it is signed and sent
  status      TEXT COLLATE "C"    NOT NULL,  -- pending, delivered, failed
  attempts    BIGINT  NOT NULL,
  created_at  BIGINT  NOT NULL,
  next_at     BIGINT ,
  ended_at    BIGINT ,
  last_status BIGINT ,
  last_error  TEXT COLLATE "C"
);
-- deliveries(): an organisation's, newest first.
CREATE INDEX webhook_deliveries_by_org
  ON webhook_deliveries (org, created_at DESC, id DESC);
-- deliveries() of one endpoint.
CREATE INDEX webhook_deliveries_by_endpoint
  ON webhook_deliveries (endpoint, created_at DESC, id DESC);
-- forget_deliveries(): those that ended long ago.
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE webhook_attempts (
  delivery    TEXT COLLATE "C"    NOT NULL,
  no          BIGINT  NOT NULL,
  at          BIGINT  NOT NULL,
  status      BIGINT ,           -- NULL: there was no answer
  duration_ms BIGINT  NOT NULL,
  error       TEXT COLLATE "C",
  excerpt     TEXT COLLATE "C",              -- the beginning of the answer's body
  PRIMARY KEY (delivery, no)
);

-- Which run a vendor's job belongs to: an index of the journal's `attempt.accepted`.
CREATE TABLE callback_jobs (
  provider    TEXT COLLATE "C"    NOT NULL,
  job         TEXT COLLATE "C"    NOT NULL,
  run_id      TEXT COLLATE "C"    NOT NULL,
  org         TEXT COLLATE "C"    NOT NULL,
  step        TEXT COLLATE "C"    NOT NULL,
  token       TEXT COLLATE "C"    NOT NULL,
  accepted_at BIGINT  NOT NULL,
  PRIMARY KEY (provider, job)
);
-- job_of_attempt(): the newest job of an attempt.
CREATE INDEX callback_jobs_by_run ON callback_jobs (run_id, step, accepted_at DESC);

-- What came in: against replays, and for callbacks that came before their job was known.
CREATE TABLE callback_receipts (
  source      TEXT COLLATE "C"    NOT NULL,  -- who says so: n8n, fal …
  id          TEXT COLLATE "C"    NOT NULL,  -- their id of the message
  digest      TEXT COLLATE "C"    NOT NULL,  -- SHA-256 of its body
  job         TEXT COLLATE "C",              -- what it is about, while nobody knows that job
  payload     TEXT COLLATE "C",              -- what it says, while nobody knows that job
  received_at BIGINT  NOT NULL,
  PRIMARY KEY (source, id)
);
-- early_callbacks(): what was said about a job before it was known.
CREATE INDEX callback_receipts_by_job ON callback_receipts (source, job) WHERE job IS NOT NULL;
-- forget_receipts(): those that are too old to be replayed.
CREATE INDEX callback_receipts_by_age ON callback_receipts (received_at);
