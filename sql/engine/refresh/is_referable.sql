-- Whether a foreign key can refer to the row that a column names: not to one of a table that inherits.
-- in:  {column}; {parent}: the table in app that it refers to
({column} is null or {column} in (select id from only {parent}))
