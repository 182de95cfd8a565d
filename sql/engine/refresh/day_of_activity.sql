-- The UTC day of a row that is of one.
activity_date
