-- The UTC day of a row that has a column with a time in it.
-- in:  {day}
(coalesce(wanted.{day}, present.{day}) at time zone 'UTC')::date
