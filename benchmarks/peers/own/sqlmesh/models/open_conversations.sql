MODEL (
  name peers.open_conversations,
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
  conversation.client_id,
  conversation.channel,
  conversation.started_at,
  last.direction AS last_direction,
  last.sent_at AS last_sent_at,
  last.sent_at - conversation.started_at AS lasted
FROM app.conversations AS conversation
LEFT JOIN LATERAL (
  SELECT direction, sent_at FROM app.messages
  WHERE conversation_id = conversation.id
  ORDER BY sent_at DESC, id DESC
  LIMIT 1
) AS last ON true
WHERE conversation.closed_at IS NULL AND conversation.crew_id IS NULL
  AND conversation.id IN (
    SELECT id FROM app.conversations WHERE updated_at BETWEEN @start_dt AND @end_dt
    UNION
    SELECT conversation_id FROM app.messages WHERE updated_at BETWEEN @start_dt AND @end_dt
  );

@IF(@runtime_stage = 'creating', CREATE UNIQUE INDEX open_conversations_key ON @this_model USING btree (conversation_id))
