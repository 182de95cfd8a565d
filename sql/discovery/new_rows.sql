-- What arrived in a histories table: how much, on which days, and what is odd about it.
-- in:  {histories}; %(after_id)s, %(up_to_id)s: rows in (after_id, up_to_id]
-- out: one row: row_count, unplaced (no session_id or no usable created_at), unknown_type, days (datemultirange)
select
    count(*) as row_count,
    count(*) filter (where is_placed is not true) as unplaced,
    count(*) filter (where is_known is not true) as unknown_type,
    range_agg(daterange(activity_date, activity_date + 1)) filter (where is_placed) as days
from (
    select
        session_id is not null and created_at >= '0001-01-02' and created_at < '9999-12-30' as is_placed,
        case when created_at >= '0001-01-02' and created_at < '9999-12-30'
            then (created_at at time zone 'UTC')::date
        end as activity_date,
        message ->> 'type' in ('human', 'ai', 'tool', 'system', 'function', 'generic') as is_known
    from {histories}
    where id > %(after_id)s::bigint and id <= %(up_to_id)s::bigint
) as arrived;
