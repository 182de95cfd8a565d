-- Counts the rows that were written to a histories table and are left out.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots;
--      %(members)s: oids of the table and its partitions
-- out: one row per kind: kind, rows, example
select
    kind,
    count(*) as rows,
    min(example) as example
from (
    select
        case
            when session_id is null then 'rows without a session_id'
            when not analytics.is_usable_session(session_id) then 'rows with a session_id of more than 2,000 bytes'
            else 'rows without a usable created_at'
        end as kind,
        coalesce(left(session_id, 100), activity_date::text) as example
    from analytics.session_changes
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
        and table_oid = any(%(members)s::oid[])
        and (
            operation = 'unusable'
            or operation in ('insert', 'update') and (
                activity_date < '0001-01-02' or activity_date >= '9999-12-30'
                or not analytics.is_usable_session(session_id)
            )
        )
) as odd
group by kind;
