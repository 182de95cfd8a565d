-- A view that adds up a session's days.
MODEL (
  name peers.summaries,
  kind VIEW,
  grains (crew_id, session_id)
);

WITH sessions AS (
  SELECT
    crew_id,
    session_id,
    sum(message_count)::bigint AS message_count,
    sum(inbound_count)::bigint AS inbound_count,
    sum(outbound_count)::bigint AS outbound_count,
    min(started_at) AS started_at,
    max(ended_at) AS ended_at,
    min(first_human_at) AS first_human_at,
    array_agg(first_ai_at) || array_agg(first_response_at) AS ai_times
  FROM peers.session_days
  GROUP BY crew_id, session_id
)
SELECT
  crew_id,
  session_id,
  message_count,
  inbound_count,
  outbound_count,
  started_at,
  ended_at,
  extract(epoch FROM ended_at - started_at)::double precision AS duration_seconds,
  extract(
    epoch FROM (SELECT min(ai_at) FROM unnest(ai_times) AS ai_at WHERE ai_at >= first_human_at) - first_human_at
  )::double precision AS first_response_seconds
FROM sessions;
