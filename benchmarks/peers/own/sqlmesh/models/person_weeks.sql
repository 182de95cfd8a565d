-- The weeks whose Monday is in the interval, or in the week before it; the window needs all weeks.
MODEL (
  name peers.person_weeks,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column week,
    lookback 7
  ),
  interval_unit 'day',
  allow_partials true,
  grains (client_id, week)
);

SELECT
  client_id,
  week,
  persons,
  more,
  messages_90
FROM (
  SELECT
    client_id,
    week,
    count(DISTINCT person_id) AS persons,
    count(DISTINCT person_id) - lag(count(DISTINCT person_id)) OVER (PARTITION BY client_id ORDER BY week) AS more,
    percentile_disc(0.9) WITHIN GROUP (ORDER BY messages) AS messages_90
  FROM (
    SELECT
      person.client_id,
      link.person_id,
      date_trunc('week', message.sent_at AT TIME ZONE 'UTC')::date AS week,
      count(*) AS messages
    FROM app.messages AS message
    INNER JOIN analytics.people_conversations AS link ON link.conversation_id = message.conversation_id
    INNER JOIN app.people AS person ON person.id = link.person_id
    GROUP BY person.client_id, link.person_id, date_trunc('week', message.sent_at AT TIME ZONE 'UTC')::date
  ) AS persons
  GROUP BY client_id, week
) AS weeks
WHERE week BETWEEN @start_ds AND @end_ds;

@IF(@runtime_stage = 'creating', CREATE INDEX person_weeks_date ON @this_model USING btree (week))
