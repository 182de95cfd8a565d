-- Partial aggregates by UTC day, the time column: the days of the interval and of the three days before it are replaced.
MODEL (
  name peers.session_days,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column activity_date,
    lookback 3
  ),
  interval_unit 'day',
  allow_partials true,
  grains (crew_id, session_id, activity_date)
);

WITH days AS (
  SELECT
    crew_id,
    session_id,
    (created_at AT TIME ZONE 'UTC')::date AS activity_date,
    count(*) AS message_count,
    count(*) FILTER (WHERE message ->> 'type' = 'human') AS inbound_count,
    count(*) FILTER (WHERE message ->> 'type' = 'ai') AS outbound_count,
    min(created_at) AS started_at,
    max(created_at) AS ended_at,
    min(created_at) FILTER (WHERE message ->> 'type' = 'human') AS first_human_at,
    min(created_at) FILTER (WHERE message ->> 'type' = 'ai') AS first_ai_at,
    array_agg(created_at) FILTER (WHERE message ->> 'type' = 'ai') AS ai_times
  FROM plain.histories
  WHERE created_at BETWEEN @start_dt AND @end_dt
  GROUP BY crew_id, session_id, activity_date
)
SELECT
  crew_id::uuid,
  session_id::text,
  activity_date::date,
  message_count::bigint,
  inbound_count::bigint,
  outbound_count::bigint,
  started_at::timestamptz,
  ended_at::timestamptz,
  first_human_at::timestamptz,
  first_ai_at::timestamptz,
  (SELECT min(ai_at) FROM unnest(ai_times) AS ai_at WHERE ai_at >= first_human_at)::timestamptz AS first_response_at
FROM days;

@IF(@runtime_stage = 'creating', CREATE INDEX session_days_date ON @this_model USING btree (activity_date))
