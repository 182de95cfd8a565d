-- Whole days of a histories table, as many as hold about so many rows; of a day that holds more, so many sessions.
-- in:  {histories}; %(crew_id)s; %(start_day)s, %(end_day)s: half-open; %(after)s: session of the first day after which to
--      go on, or null; %(rows)s: how many rows, or sessions
-- out: keys (crew_id, session_id: null with whole days, start_day, end_day, position: the end, or day and session)
create temporary table keys on commit drop as
with rows as (
    select
        (
            select (created_at at time zone 'UTC')::date
            from {histories}
            where created_at >= %(start_day)s::date::timestamp at time zone 'UTC'
                and created_at < %(end_day)s::date::timestamp at time zone 'UTC'
            order by created_at
            limit 1
        ) as first_day,
        (
            select (created_at at time zone 'UTC')::date
            from {histories}
            where created_at >= %(start_day)s::date::timestamp at time zone 'UTC'
                and created_at < %(end_day)s::date::timestamp at time zone 'UTC'
            order by created_at
            offset %(rows)s
            limit 1
        ) as last_day
),

span as (
    select
        %(after)s::text is not null
        or coalesce(first_day = last_day and first_day = %(start_day)s::date, false) as is_split,
        case
            when first_day = last_day then greatest(first_day, %(start_day)s::date + 1)
            else coalesce(last_day + 1, %(end_day)s::date)
        end as end_day
    from rows
)

select
    %(crew_id)s::uuid as crew_id,
    null::text as session_id,
    %(start_day)s::date as start_day,
    least(%(end_day)s::date, end_day) as end_day,
    to_char(least(%(end_day)s::date, end_day), 'YYYY-MM-DD') as position
from span
where not is_split
union all
(
    select
        %(crew_id)s::uuid,
        session.id,
        %(start_day)s::date,
        %(start_day)s::date + 1,
        to_char(%(start_day)s::date, 'YYYY-MM-DD') || ' ' || session.id
    from (
        select session_id::text collate "default" as id
        from {histories}
        where created_at >= %(start_day)s::date::timestamp at time zone 'UTC'
            and created_at < (%(start_day)s::date + 1)::timestamp at time zone 'UTC'
            and analytics.is_usable_session(session_id::text)
            and (select is_split from span)
        union
        select session_id
        from analytics.histories_sessions
        where crew_id = %(crew_id)s::uuid and activity_date = %(start_day)s::date and (select is_split from span)
    ) as session
    where %(after)s::text is null or session.id collate "C" > %(after)s::text
    order by session.id collate "C"
    limit %(rows)s
);
