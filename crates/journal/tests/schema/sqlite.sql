CREATE VIEW content_requests AS
SELECT r.id,
  (SELECT l.value FROM run_labels l WHERE l.run_id = r.id AND l.key = 'brand_id') AS brand_id,
  (SELECT l.value FROM run_labels l WHERE l.run_id = r.id AND l.key = 'campaign_id') AS campaign_id,
  r.title,
  (SELECT l.value FROM run_labels l WHERE l.run_id = r.id AND l.key = 'request_type') AS request_type,
  CASE r.status WHEN 'completed' THEN 'published' WHEN 'delivered' THEN 'published'
    WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'cancelled'
    ELSE COALESCE(r.phase, 'intake') END AS status,
  (f.body ->> '$[0].input.prompt') AS prompt,
  CAST((f.body ->> '$[0].input.duration_seconds') AS INTEGER) AS duration_seconds,
  (f.body ->> '$[0].input.aspect_ratio') AS aspect_ratio,
  (f.body ->> '$[0].input.style_preset') AS style_preset,
  (f.body ->> '$[0].input.shot_type') AS shot_type,
  (f.body ->> '$[0].input.voice_id') AS voice_id,
  (f.body ->> '$[0].input.preferred_provider') AS preferred_provider,
  (f.body ->> '$[0].input.provider_tier') AS provider_tier,
  COALESCE((f.body ->> '$[0].input.auto_script'), 1) AS auto_script,
  (f.body ->> '$[0].input.script_text') AS script_text,
  NULL AS selected_kb_ids,
  CAST((SELECT l.value FROM run_labels l WHERE l.run_id = r.id AND l.key = 'estimated_cost') AS REAL) AS estimated_cost,
  CAST((SELECT l.value FROM run_labels l WHERE l.run_id = r.id AND l.key = 'estimated_time_seconds') AS INTEGER) AS estimated_time_seconds,
  r.spent_cost / 1000000.0 AS actual_cost,
  (r.ended_at - r.started_at) / 1000000 AS actual_time_seconds,
  r.started_by AS created_by,
  strftime('%Y-%m-%dT%H:%M:%S', (r.started_at) / 1000000, 'unixepoch') || printf('.%06dZ', (r.started_at) % 1000000) AS created_at,
  strftime('%Y-%m-%dT%H:%M:%S', (r.updated_at) / 1000000, 'unixepoch') || printf('.%06dZ', (r.updated_at) % 1000000) AS updated_at
FROM runs r LEFT JOIN journal f ON f.run_id = r.id AND f.seq_first = 1
WHERE r.slug IN ('content-request-image', 'content-request-video-with-vo', 'content-request-video-no-vo');
CREATE VIEW dead_letter_queue AS
SELECT d.id, d.run_id AS request_id, d.run_id || ':' || d.step AS task_id,
  UPPER(d.class) AS error_category, d.message AS error_message, d.attempts AS failed_attempts,
  strftime('%Y-%m-%dT%H:%M:%S', (d.created_at) / 1000000, 'unixepoch') || printf('.%06dZ', (d.created_at) % 1000000) AS last_attempt_at, d.snapshot AS task_snapshot,
  strftime('%Y-%m-%dT%H:%M:%S', (d.created_at) / 1000000, 'unixepoch') || printf('.%06dZ', (d.created_at) % 1000000) AS created_at,
  d.resolved_at IS NOT NULL OR n.letter IS NOT NULL AS resolved,
  strftime('%Y-%m-%dT%H:%M:%S', (COALESCE(d.resolved_at, n.resolved_at)) / 1000000, 'unixepoch') || printf('.%06dZ', (COALESCE(d.resolved_at, n.resolved_at)) % 1000000) AS resolved_at, n.resolved_by,
  COALESCE(n.notes, d.resolution) AS resolution_notes
FROM dead_letters d JOIN runs r ON r.id = d.run_id
  LEFT JOIN dead_letter_notes n ON n.letter = d.id
WHERE r.slug IN ('content-request-image', 'content-request-video-with-vo', 'content-request-video-no-vo');
CREATE VIEW journal_events AS
SELECT j.run_id, j.seq_first + e.key AS seq, j.at_us + e.key AS at_us,
  e.value ->> '$.type' AS type, e.value AS event
FROM journal j, json_each(
    COALESCE(j.body, json_array(json_object('type', 'object', 'object', j.object)))) e;
CREATE VIEW provider_metadata AS
WITH jobs AS (
  SELECT e.run_id, e.seq, e.at_us, (e.event ->> '$.step') AS step, (e.event ->> '$.token') AS token,
    (e.event ->> '$.job.provider') AS provider, (e.event ->> '$.job.id') AS job
  FROM journal_events e JOIN runs r ON r.id = e.run_id
  WHERE e.type = 'attempt.accepted' AND r.slug IN ('content-request-image', 'content-request-video-with-vo', 'content-request-video-no-vo')
), calls AS (
  SELECT e.run_id, e.seq, e.at_us, (e.event ->> '$.step') AS step, (e.event ->> '$.token') AS token,
    (c.value ->> '$.n') AS no, (c.value ->> '$.p') AS provider, (c.value -> '$.a') AS answer,
    COALESCE((c.value ->> '$.c'), 0) AS cost
  FROM journal_events e JOIN runs r ON r.id = e.run_id , json_each(
      CASE e.type WHEN 'attempt.call_recorded' THEN json_array(json(e.event -> '$.call'))
        ELSE COALESCE(e.event -> '$.calls', '[]') END) c
  WHERE e.type IN ('attempt.call_recorded', 'attempt.failed', 'attempt.settled', 'step.succeeded')
    AND r.slug IN ('content-request-image', 'content-request-video-with-vo', 'content-request-video-no-vo') AND (c.value ->> '$.k') = 'd'
)
SELECT c.run_id || ':' || c.seq || ':' || c.no AS id, c.run_id || ':' || c.step AS request_task_id,
  c.provider AS provider_name,
  (SELECT j.job FROM jobs j WHERE j.run_id = c.run_id AND j.step = c.step AND j.token = c.token
    AND j.provider = c.provider ORDER BY j.seq DESC LIMIT 1) AS external_job_id,
  c.answer AS response_payload, c.cost / 1000000.0 AS cost_incurred, strftime('%Y-%m-%dT%H:%M:%S', (c.at_us) / 1000000, 'unixepoch') || printf('.%06dZ', (c.at_us) % 1000000) AS created_at
FROM calls c
UNION ALL
SELECT j.run_id || ':' || j.seq, j.run_id || ':' || j.step, j.provider, j.job, NULL, NULL, strftime('%Y-%m-%dT%H:%M:%S', (j.at_us) / 1000000, 'unixepoch') || printf('.%06dZ', (j.at_us) % 1000000)
FROM jobs j WHERE NOT EXISTS (SELECT 1 FROM calls c WHERE c.run_id = j.run_id AND c.step = j.step
  AND c.token = j.token AND c.provider = j.provider);
CREATE VIEW request_events AS
WITH named AS (
  SELECT e.run_id, e.seq, e.at_us, e.type, e.event,
    COALESCE((e.event ->> '$.step'), (e.event ->> '$.from')) AS step,
    CASE e.type WHEN 'run.phase_entered' THEN (e.event ->> '$.phase') WHEN 'run.rolled_back' THEN (e.event ->> '$.phase')
      WHEN 'run.failed' THEN 'failed' END AS to_status,
    CASE WHEN e.type = 'step.started' OR e.type = 'step.failed' OR (e.type = 'attempt.failed' AND (e.event ->> '$.retry_at') IS NOT NULL)
      THEN 1 ELSE 0 END AS is_try
  FROM journal_events e JOIN runs r ON r.id = e.run_id
  WHERE r.slug IN ('content-request-image', 'content-request-video-with-vo', 'content-request-video-no-vo')
), told AS (
  SELECT n.*, s.label_en, CASE WHEN s.kind = 'agent' THEN s.def END AS role,
    COALESCE(LAG(n.to_status) OVER (
      PARTITION BY n.run_id, n.to_status IS NULL ORDER BY n.seq), 'intake') AS from_status,
    LAG((n.event ->> '$.failure.message')) OVER (
      PARTITION BY n.run_id, n.step, n.is_try ORDER BY n.seq) AS was_wrong,
    COALESCE(MAX(CASE WHEN n.type = 'step.started' THEN (n.event ->> '$.attempt') END) OVER (
      PARTITION BY n.run_id, n.step ORDER BY n.seq), 1) AS tries
  FROM named n LEFT JOIN steps s ON s.run_id = n.run_id AND s.key = n.step
    AND s.position = (SELECT MAX(x.position) FROM steps x WHERE x.run_id = n.run_id AND x.key = n.step)
), typed AS (
  SELECT t.*, CASE
    WHEN t.type = 'run.started' THEN 'created'
    WHEN t.to_status IS NOT NULL THEN CASE WHEN t.to_status <> t.from_status THEN 'status_change' END
    WHEN t.type = 'run.cancelled' THEN 'cancelled'
    WHEN t.type = 'callback.received' THEN 'provider_callback'
    WHEN t.type = 'attempt.in_doubt' THEN 'error'
    WHEN t.type = 'steps.reset' THEN 'retry'
    WHEN t.type = 'step.started' AND t.role IS NOT NULL THEN
      CASE WHEN t.tries > 1 AND t.was_wrong IS NOT NULL THEN 'retry' ELSE 'task_started' END
    WHEN t.type = 'step.succeeded' AND t.role IS NOT NULL THEN 'task_completed'
    WHEN t.is_try = 1 AND t.role IS NOT NULL THEN 'task_failed'
    WHEN t.type IN ('step.skipped', 'attempt.progressed', 'attempt.accepted', 'gate.decided',
      'checkpoint.opened', 'checkpoint.answered', 'object') THEN 'agent_log'
    END AS event_type
  FROM told t
)
SELECT t.run_id || ':' || t.seq AS id, t.run_id AS request_id,
  CASE WHEN t.type = 'callback.received' THEN t.run_id || ':' || (t.event ->> '$.key')
    ELSE t.run_id || ':' || t.step END AS task_id,
  t.event_type,
  CASE t.event_type
    WHEN 'created' THEN 'Request created'
    WHEN 'status_change' THEN 'Status changed from ' || t.from_status || ' to ' || t.to_status
    WHEN 'cancelled' THEN 'Request cancelled: ' || COALESCE((t.event ->> '$.reason'), 'no reason given')
    WHEN 'provider_callback' THEN 'Callback received: ' || (t.event ->> '$.key')
    WHEN 'error' THEN COALESCE(t.label_en, t.step) || ' is in doubt'
    WHEN 'task_started' THEN COALESCE(t.label_en, t.step) || ' started'
    WHEN 'task_completed' THEN COALESCE(t.label_en, t.step) || ' completed'
    WHEN 'task_failed' THEN COALESCE(t.label_en, t.step) || ' failed: ' || (t.event ->> '$.failure.message')
    WHEN 'retry' THEN COALESCE(t.label_en, t.step) || ' is done again: '
      || COALESCE((t.event ->> '$.feedback.comment'), CASE t.type WHEN 'steps.reset' THEN 'sent back' ELSE t.was_wrong END)
    ELSE CASE t.type
      WHEN 'step.skipped' THEN COALESCE(t.label_en, t.step) || ': skipped'
      WHEN 'attempt.progressed' THEN COALESCE(t.label_en, t.step) || ': progress'
      WHEN 'attempt.accepted' THEN COALESCE(t.label_en, t.step) || ': job accepted'
      WHEN 'gate.decided' THEN COALESCE(t.label_en, t.step) || ': ' || (t.event ->> '$.verdict')
      WHEN 'checkpoint.opened' THEN COALESCE(t.label_en, t.step) || ': asked'
      WHEN 'checkpoint.answered' THEN COALESCE(t.label_en, t.step) || ': ' || (t.event ->> '$.answer.verb')
      ELSE 'Events too long for a row are in object storage' END
    END AS description,
  CASE t.event_type
    WHEN 'created' THEN (t.event ->> '$.started_by')
    WHEN 'task_started' THEN t.role
    WHEN 'task_failed' THEN t.role
    WHEN 'task_completed' THEN COALESCE((t.event ->> '$.by'), t.role)
    ELSE COALESCE((t.event ->> '$.answer.by'), (t.event ->> '$.by'), 'system')
    END AS actor,
  CASE t.event_type
    WHEN 'created' THEN json_object('created_by', (t.event ->> '$.started_by'))
    WHEN 'status_change' THEN json_object('from_status', t.from_status, 'to_status', t.to_status, 'reason', COALESCE((t.event ->> '$.reason'), (t.event ->> '$.failure.message')))
    WHEN 'cancelled' THEN json_object('reason', COALESCE((t.event ->> '$.reason'), 'no reason given'))
    WHEN 'provider_callback' THEN json_object('task_id', t.run_id || ':' || (t.event ->> '$.key'), 'provider_name', (t.event ->> '$.payload.provider_name'), 'external_job_id', (t.event ->> '$.payload.external_job_id'), 'status', (t.event ->> '$.payload.status'), 'output_url', (t.event ->> '$.payload.output_url'), 'error_message', (t.event ->> '$.payload.error_message'))
    WHEN 'error' THEN json_object('error_code', 'in_doubt', 'error_message', (t.event ->> '$.message'))
    WHEN 'task_started' THEN json_object('task_id', t.run_id || ':' || t.step, 'agent_role', t.role)
    WHEN 'task_completed' THEN json_object('task_id', t.run_id || ':' || t.step, 'agent_role', t.role, 'output_summary', substr((t.event -> '$.output'), 1, 200))
    WHEN 'task_failed' THEN json_object('task_id', t.run_id || ':' || t.step, 'agent_role', t.role, 'error_code', (t.event ->> '$.failure.code'), 'error_message', (t.event ->> '$.failure.message'), 'retriable', json(CASE t.type WHEN 'attempt.failed' THEN 'true' ELSE 'false' END))
    WHEN 'retry' THEN json_object('task_id', t.run_id || ':' || t.step, 'retry_count', t.tries, 'reason', COALESCE((t.event ->> '$.feedback.comment'), CASE t.type WHEN 'steps.reset' THEN 'sent back' ELSE t.was_wrong END))
    ELSE CASE t.type
      WHEN 'step.skipped' THEN json_object('task_id', t.run_id || ':' || t.step, 'agent_role', COALESCE(t.role, t.step), 'data', json_object('skipped', json('true'), 'reason', (t.event ->> '$.reason')))
      WHEN 'attempt.progressed' THEN json_object('task_id', t.run_id || ':' || t.step, 'agent_role', COALESCE(t.role, t.step), 'data', json_object('percent', json((t.event -> '$.percent')), 'message', (t.event ->> '$.message')))
      WHEN 'attempt.accepted' THEN json_object('task_id', t.run_id || ':' || t.step, 'agent_role', COALESCE(t.role, t.step), 'data', json_object('provider', (t.event ->> '$.job.provider'), 'external_job_id', (t.event ->> '$.job.id')))
      WHEN 'gate.decided' THEN json_object('task_id', t.run_id || ':' || t.step, 'agent_role', COALESCE(t.role, t.step), 'data', json_object('verdict', (t.event ->> '$.verdict'), 'reason', (t.event ->> '$.reason')))
      WHEN 'checkpoint.opened' THEN json_object('task_id', t.run_id || ':' || t.step, 'agent_role', COALESCE(t.role, t.step), 'data', json_object('question', (t.event ->> '$.question')))
      WHEN 'checkpoint.answered' THEN json_object('task_id', t.run_id || ':' || t.step, 'agent_role', COALESCE(t.role, t.step), 'data', json_object('decision', (t.event ->> '$.answer.verb'), 'comment', (t.event ->> '$.answer.comment')))
      ELSE t.event END
    END AS metadata,
  t.seq, strftime('%Y-%m-%dT%H:%M:%S', (t.at_us) / 1000000, 'unixepoch') || printf('.%06dZ', (t.at_us) % 1000000) AS created_at
FROM typed t WHERE t.event_type IS NOT NULL;
CREATE VIEW request_tasks AS
WITH planned (slug, place, role, name, phase, seconds) AS (
  VALUES
    ('content-request-image', 0, 'executive', 'Intent Parsing & Validation', 'intake', 5),
    ('content-request-image', 1, 'strategist', 'Visual Concept Generation', 'draft', 20),
    ('content-request-image', 2, 'producer', 'Image Generation', 'production', 30),
    ('content-request-image', 3, 'qa', 'Quality Assurance Review', 'qa', 5),
    ('content-request-video-with-vo', 0, 'executive', 'Intent Parsing & Validation', 'intake', 5),
    ('content-request-video-with-vo', 1, 'task_planner', 'Task Planning', 'draft', 10),
    ('content-request-video-with-vo', 2, 'strategist', 'Creative Strategy Generation', 'draft', 30),
    ('content-request-video-with-vo', 3, 'copywriter', 'Script Writing', 'draft', 45),
    ('content-request-video-with-vo', 4, 'producer', 'Video Generation', 'production', 180),
    ('content-request-video-with-vo', 5, 'qa', 'Quality Assurance Review', 'qa', 10),
    ('content-request-video-no-vo', 0, 'executive', 'Intent Parsing & Validation', 'intake', 5),
    ('content-request-video-no-vo', 1, 'task_planner', 'Task Planning', 'draft', 10),
    ('content-request-video-no-vo', 2, 'strategist', 'Visual Strategy Generation', 'draft', 25),
    ('content-request-video-no-vo', 3, 'producer', 'Video Generation', 'production', 180),
    ('content-request-video-no-vo', 4, 'qa', 'Quality Assurance Review', 'qa', 10)
), tasks AS (
  SELECT r.id AS run_id, r.started_at AS created_at, p.place, p.role AS key, p.role,
    COALESCE(s.label_en, p.name) AS name, COALESCE(s.phase, p.phase) AS phase, p.seconds,
    COALESCE(s.status, 'pending') AS status, COALESCE(s.attempt, 0) AS attempt, s.started_at,
    s.ended_at, s.failure
  FROM runs r JOIN planned p ON p.slug = r.slug
    LEFT JOIN steps s ON s.run_id = r.id AND s.key = p.role AND s.kind = 'agent'
  UNION ALL
  SELECT r.id, r.started_at, 100 + s.position, s.key, s.def, s.label_en, s.phase, NULL, s.status,
    s.attempt, s.started_at, s.ended_at, s.failure
  FROM runs r JOIN steps s ON s.run_id = r.id AND s.kind = 'agent'
  WHERE r.slug IN ('content-request-image', 'content-request-video-with-vo', 'content-request-video-no-vo')
    AND NOT EXISTS (SELECT 1 FROM planned p WHERE p.slug = r.slug AND p.role = s.key)
)
SELECT t.run_id || ':' || t.key AS id, t.run_id AS request_id, t.role AS agent_role,
  t.name AS task_name,
  CASE t.status WHEN 'running' THEN 'in_progress' WHEN 'waiting' THEN 'in_progress'
    WHEN 'succeeded' THEN 'completed' WHEN 'cancelled' THEN 'skipped' ELSE t.status END AS status,
  t.phase, ROW_NUMBER() OVER w AS sequence_order,
  CASE WHEN LAG(t.key) OVER w IS NULL THEN '[]'
    ELSE json_array(t.run_id || ':' || LAG(t.key) OVER w) END AS depends_on,
  t.seconds AS estimated_duration_seconds, strftime('%Y-%m-%dT%H:%M:%S', (t.started_at) / 1000000, 'unixepoch') || printf('.%06dZ', (t.started_at) % 1000000) AS started_at,
  strftime('%Y-%m-%dT%H:%M:%S', (t.ended_at) / 1000000, 'unixepoch') || printf('.%06dZ', (t.ended_at) % 1000000) AS completed_at,
  CASE WHEN t.attempt > 1 THEN t.attempt - 1 ELSE 0 END AS retry_count,
  CASE WHEN t.status = 'succeeded' THEN
    (SELECT (e.event -> '$.output') FROM journal_events e WHERE e.run_id = t.run_id AND e.type = 'step.succeeded'
    AND (e.event ->> '$.step') = t.key ORDER BY e.seq DESC LIMIT 1) END AS output_data,
  CASE WHEN t.status = 'succeeded' THEN
    (SELECT '/api/v1/assets/' || (e.event ->> '$.assets[0].id') || '/content' FROM journal_events e WHERE e.run_id = t.run_id AND e.type = 'step.succeeded'
    AND (e.event ->> '$.step') = t.key ORDER BY e.seq DESC LIMIT 1) END AS output_url,
  (t.failure ->> '$.message') AS error_message, strftime('%Y-%m-%dT%H:%M:%S', (t.created_at) / 1000000, 'unixepoch') || printf('.%06dZ', (t.created_at) % 1000000) AS created_at
FROM tasks t
WINDOW w AS (PARTITION BY t.run_id ORDER BY t.place);
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
