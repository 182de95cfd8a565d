-- Whether anything was logged between two snapshots.
-- in:  %(from_snapshot)s, %(to_snapshot)s; %(follows)s: the sources to look for
-- out: one row: is_any, is_everything (whole tables have to be read)
select
    exists(
        select from analytics.changes
        where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
            and (source = any(%(follows)s::text[]) or source || ' ' || operation = any(%(follows)s::text[]))
    ) as is_any,
    exists(
        select from analytics.changes
        where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
            and is_everything
            and (
                source = any(%(follows)s::text[])
                or operation = 'everything' and source || ' everything' = any(%(follows)s::text[])
            )
    ) as is_everything;
