-- Whether a row was to be written, but the row of the application that it refers to by one column could not be locked.
-- in:  {free}: the ids that could be locked; {column}
diff.change in ('inserted', 'updated') and diff.{column} is not null and diff.{column} not in (select id from {free})
