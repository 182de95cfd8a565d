-- Whole days of a histories table, as many as have about so many rows; or, of one day with more rows, so many sessions.
-- in:  {histories}; %(crew_id)s; %(start_day)s, %(end_day)s: half-open; %(after_session)s: continue after this session of the
--      first day, or null; %(most)s: how many rows, or sessions
-- out: crew_id, session_id (null: whole days), start_day, end_day
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
            offset %(most)s
            limit 1
        ) as last_day
),

span as (
    select
        %(after_session)s::text is not null
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
    least(%(end_day)s::date, end_day) as end_day
from span
where not is_split
union all
(
    select
        %(crew_id)s::uuid,
        session.id,
        %(start_day)s::date,
        %(start_day)s::date + 1
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
    where %(after_session)s::text is null or session.id collate "C" > %(after_session)s::text
    order by session.id collate "C"
    limit %(most)s
);
