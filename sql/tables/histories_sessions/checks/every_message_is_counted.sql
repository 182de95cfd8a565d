-- Days on which the session-days of a crew do not add up to its histories table, except archive and days with unread changes.
-- in:  {histories}; %(crew_id)s; %(members)s: oids of the table and its partitions; %(unread_since)s: the watermark, or null
-- out: one row per day: in_source, counted
with unread as (
    select
        activity_date,
        operation
    from analytics.session_changes
    where analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
        and table_oid = any(%(members)s::oid[])
),

source as (
    select
        session_id::text as session_id,
        (created_at at time zone 'UTC')::date as activity_date,
        count(*) as in_source
    from {histories}
    where analytics.is_usable_session(session_id::text) and created_at >= '0001-01-02' and created_at < '9999-12-30'
    group by 1, 2
),

compared as (
    select
        activity_date,
        coalesce(sum(source.in_source), 0)::bigint as in_source,
        coalesce(sum(day.message_count), 0)::bigint as counted
    from source
    full join (
        select * from analytics.histories_sessions
        where crew_id = %(crew_id)s::uuid
    ) as day using (session_id, activity_date)
    where day.archived_at is null
    group by activity_date
)

select * from compared
where in_source <> counted
    and activity_date not in (select activity_date from unread where activity_date is not null)
    and not exists (select from unread where operation in ('everything', 'truncate'))
order by activity_date;
