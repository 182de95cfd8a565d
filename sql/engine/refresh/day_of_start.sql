-- The UTC day of a row: that on which its conversation started.
(coalesce(wanted.started_at, present.started_at) at time zone 'UTC')::date
