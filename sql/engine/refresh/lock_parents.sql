-- Locks the rows of the application that new rows refer to by one column; what refers to one that is locked or gone is left
-- for later.
-- in:  different, {column}; %(parent)s: the table in app that it refers to
update different
set change = 'locked'
where different.change in ('inserted', 'updated')
    and different.{column} is not null
    and different.{column} not in (
        select locked.id
        from analytics.lock_parents(
            %(parent)s,
            array(select distinct {column} from different where change in ('inserted', 'updated') and {column} is not null)
        ) as locked (id)
    );
