-- Clients' days that may have changed.
-- in:  %(window_start)s, %(window_end)s: in it, half-open, or null;
--      %(seen)s, %(taken)s: with changes logged between these snapshots, or null;
--      %(after)s, %(rows)s, %(crew_ids)s, %(client_ids)s as in every_client_day.sql
-- out: keys (client_id, activity_date, position)
create temporary table keys on commit drop as
select
    client_id,
    activity_date,
    client_id || ' ' || to_char(activity_date, 'YYYY-MM-DD') as position
from (
    select
        client_id,
        activity_date
    from analytics.conversation_days
    where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
        and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    union
    select
        client_id,
        activity_date
    from analytics.client_activity_daily
    where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
        and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    union
    select
        client_id,
        activity_date
    from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and source in ('conversation_days', 'client_activity_daily retry') and activity_date is not null
    union
    select
        day.client_id,
        day.activity_date
    from analytics.identifier_changes as change
    inner join app.clients as client on client.id = change.id
    inner join analytics.conversation_days as day on day.client_id = client.id
    left join analytics.client_activity_daily as present using (client_id, activity_date)
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and change.source = 'clients'
        and present.client_code is distinct from client.client_code
) as changed
where (
        %(after)s::text is null
        or (client_id, activity_date) > (left(%(after)s::text, 36)::uuid, substr(%(after)s::text, 38)::date)
    )
    and (
        %(crew_ids)s::uuid[] is null
        or client_id = any(%(client_ids)s::uuid[])
        or client_id in (select client_id from app.crews where id = any(%(crew_ids)s::uuid[]))
    )
order by client_id, activity_date
limit %(rows)s;
