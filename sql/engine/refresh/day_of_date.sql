-- The UTC day of a row that has a column with it.
-- in:  {day}
coalesce(wanted.{day}, present.{day})
