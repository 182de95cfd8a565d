-- Clients' days, in order.
-- in:  %(after)s: position after which to go on, or null; %(rows)s: how many; %(crew_ids)s, %(client_ids)s: only of
--      these clients and those of these crews, or null
-- out: keys (client_id, activity_date, position)
create temporary table keys on commit drop as
with wanted as (
    select unnest(%(client_ids)s::uuid[]) as id
    union
    select client_id from app.crews
    where id = any(%(crew_ids)s::uuid[])
)

select
    client_id,
    activity_date,
    client_id || ' ' || to_char(activity_date, 'YYYY-MM-DD') as position
from (
    (
        select distinct
            client_id,
            activity_date
        from analytics.conversation_days
        where (
                %(after)s::text is null
                or (client_id, activity_date) > (left(%(after)s::text, 36)::uuid, substr(%(after)s::text, 38)::date)
            )
            and (%(crew_ids)s::uuid[] is null or client_id in (select id from wanted))
        order by client_id, activity_date
        limit %(rows)s
    )
    union
    (
        select
            client_id,
            activity_date
        from analytics.client_activity_daily
        where (
                %(after)s::text is null
                or (client_id, activity_date) > (left(%(after)s::text, 36)::uuid, substr(%(after)s::text, 38)::date)
            )
            and (%(crew_ids)s::uuid[] is null or client_id in (select id from wanted))
        order by client_id, activity_date
        limit %(rows)s
    )
) as day
order by client_id, activity_date
limit %(rows)s;
