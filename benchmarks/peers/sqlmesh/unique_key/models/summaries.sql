-- Sessions that have a row in the interval, or in the three days before it, are computed anew as a whole.
MODEL (
  name peers.summaries,
  kind INCREMENTAL_BY_UNIQUE_KEY (
    unique_key (crew_id, session_id),
    lookback 3
  ),
  interval_unit 'day',
  allow_partials true,
  grains (crew_id, session_id)
);

WITH sessions AS (
  SELECT
    crew_id,
    session_id,
    count(*) AS message_count,
    count(*) FILTER (WHERE message ->> 'type' = 'human') AS inbound_count,
    count(*) FILTER (WHERE message ->> 'type' = 'ai') AS outbound_count,
    min(created_at) AS started_at,
    max(created_at) AS ended_at,
    min(created_at) FILTER (WHERE message ->> 'type' = 'human') AS first_human_at,
    array_agg(created_at) FILTER (WHERE message ->> 'type' = 'ai') AS ai_times
  FROM plain.histories
  WHERE (crew_id, session_id) IN (
    SELECT crew_id, session_id FROM plain.histories WHERE created_at BETWEEN @start_dt AND @end_dt
  )
  GROUP BY crew_id, session_id
)
SELECT
  crew_id::uuid,
  session_id::text,
  message_count::bigint,
  inbound_count::bigint,
  outbound_count::bigint,
  started_at::timestamptz,
  ended_at::timestamptz,
  extract(epoch FROM ended_at - started_at)::double precision AS duration_seconds,
  extract(
    epoch FROM (SELECT min(ai_at) FROM unnest(ai_times) AS ai_at WHERE ai_at >= first_human_at) - first_human_at
  )::double precision AS first_response_seconds
FROM sessions;

@IF(@runtime_stage = 'creating', CREATE UNIQUE INDEX summaries_key ON @this_model USING btree (crew_id, session_id))
