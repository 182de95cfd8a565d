-- The UTC day on which the conversation of a row started.
(coalesce(wanted.started_at, present.started_at) at time zone 'UTC')::date
