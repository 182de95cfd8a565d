-- Locks the rows of the application that new rows refer to by one column. Rows whose parent another session has locked, or
-- deleted, are left for the next tick.
-- in:  diff, {column}; %(parent)s: the table in app that it refers to
update pg_temp.diff
set change = 'locked'
where diff.change in ('inserted', 'updated')
    and diff.{column} is not null
    and diff.{column} not in (
        select locked.id
        from analytics.lock_parents(
            %(parent)s,
            array(select distinct {column} from pg_temp.diff where change in ('inserted', 'updated') and {column} is not null)
        ) as locked (id)
    );
