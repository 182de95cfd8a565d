-- Locks the rows of the application that new rows refer to by one column; those that another session has locked, or deleted, are
-- skipped.
-- in:  {diff}: the differences; {column}; {parent}: the table in app that it refers to
-- out: id
select locked.id
from analytics.lock_parents(
    {parent},
    array(
        select distinct {column} from {diff} as diff
        where change in ('inserted', 'updated') and {column} is not null
    )
) as locked (id)
