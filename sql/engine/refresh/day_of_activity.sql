-- The UTC day of a row, for tables with a row per day.
activity_date
