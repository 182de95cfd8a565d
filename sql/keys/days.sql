-- Whole days of a histories table, as many as hold about so many rows.
-- in:  {histories}; %(crew_id)s; %(start_day)s, %(end_day)s: half-open; %(rows)s: how many rows
-- out: keys (crew_id, session_id: null, start_day, end_day, position: the end)
create temporary table keys on commit drop as
select
    %(crew_id)s::uuid as crew_id,
    null::text as session_id,
    %(start_day)s::date as start_day,
    least(%(end_day)s::date, next.day) as end_day,
    to_char(least(%(end_day)s::date, next.day), 'YYYY-MM-DD') as position
from (
    select (
        select (created_at at time zone 'UTC')::date + 1
        from {histories}
        where created_at >= %(start_day)s::date::timestamp at time zone 'UTC'
            and created_at < %(end_day)s::date::timestamp at time zone 'UTC'
        order by created_at
        offset %(rows)s
        limit 1
    ) as day
) as next;
