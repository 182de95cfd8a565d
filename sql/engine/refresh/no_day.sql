-- The UTC day of a row, for tables whose rows have none.
null::date
