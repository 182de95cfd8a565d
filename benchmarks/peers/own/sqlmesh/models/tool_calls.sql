-- The days of the interval and the three before it are replaced.
MODEL (
  name peers.tool_calls,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column called_on,
    lookback 3
  ),
  interval_unit 'day',
  allow_partials true,
  grains (crew_id, tool, called_on)
);

SELECT
  crew_id,
  tool,
  (called_at AT TIME ZONE 'UTC')::date AS called_on,
  count(*) AS calls,
  count(DISTINCT session_id) AS sessions,
  max(called_at) AS last_called_at
FROM app.tool_messages
WHERE called_at BETWEEN @start_dt AND @end_dt
GROUP BY crew_id, tool, (called_at AT TIME ZONE 'UTC')::date;

@IF(@runtime_stage = 'creating', CREATE INDEX tool_calls_date ON @this_model USING btree (called_on))
