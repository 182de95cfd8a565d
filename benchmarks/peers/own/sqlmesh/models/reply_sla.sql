-- Conversations with a row that changed in the interval, or in the three days before it.
MODEL (
  name peers.reply_sla,
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
  asked.asked_at,
  answer.sent_at AS answered_at,
  answer.contact_method_id AS answered_from,
  coalesce(answer.sent_at <= asked.asked_at + target.minutes * interval '1 minute', false) AS is_in_time
FROM app.conversations AS conversation
INNER JOIN app.reply_targets AS target ON target.client_id = conversation.client_id
CROSS JOIN LATERAL (
  SELECT min(sent_at) AS asked_at FROM app.messages
  WHERE conversation_id = conversation.id AND direction = 'inbound'
) AS asked
LEFT JOIN LATERAL (
  SELECT message.sent_at, sender.contact_method_id FROM app.messages AS message
  LEFT JOIN app.message_recipients AS sender ON sender.message_id = message.id AND sender.role = 'from'
  WHERE message.conversation_id = conversation.id AND direction = 'outbound' AND sent_at > asked.asked_at
  ORDER BY message.sent_at, message.id, sender.id
  LIMIT 1
) AS answer ON true
WHERE asked.asked_at IS NOT NULL
  AND conversation.id IN (
    SELECT id FROM app.conversations WHERE updated_at BETWEEN @start_dt AND @end_dt
    UNION
    SELECT conversation_id FROM app.messages WHERE updated_at BETWEEN @start_dt AND @end_dt
  );

@IF(@runtime_stage = 'creating', CREATE UNIQUE INDEX reply_sla_key ON @this_model USING btree (conversation_id))
