MODEL (
  name peers.crew_handovers,
  kind INCREMENTAL_BY_UNIQUE_KEY (
    unique_key conversation_id,
    lookback 3
  ),
  interval_unit 'day',
  allow_partials true,
  grains conversation_id
);

SELECT
  conversation.id AS conversation_id,
  conversation.crew_id,
  crew.client_id,
  person.taken_over_at,
  person.messages,
  person.taken_over_at - conversation.started_at AS waited,
  session.last_message_at > person.taken_over_at AS goes_on
FROM app.conversations AS conversation
INNER JOIN app.crews AS crew ON crew.id = conversation.crew_id
INNER JOIN (
  SELECT conversation_id, min(sent_at) AS taken_over_at, count(*) AS messages
  FROM app.messages WHERE direction = 'outbound' GROUP BY conversation_id
) AS person ON person.conversation_id = conversation.id
CROSS JOIN LATERAL (
  SELECT max(last_message_at) AS last_message_at FROM analytics.histories_sessions
  WHERE crew_id = conversation.crew_id AND session_id = conversation.session_id
) AS session
WHERE conversation.id IN (
  SELECT id FROM app.conversations WHERE updated_at BETWEEN @start_dt AND @end_dt
  UNION
  SELECT conversation_id FROM app.messages WHERE updated_at BETWEEN @start_dt AND @end_dt
);

@IF(@runtime_stage = 'creating', CREATE UNIQUE INDEX crew_handovers_key ON @this_model USING btree (conversation_id))
