-- Counts the rows of a histories table that are left out.
-- in:  {histories}; {number}: which
-- out: one row per kind: number, kind, rows, example
select
    {number} as number,
    kind,
    count(*) as rows,
    min(example) as example
from (
    select
        case
            when session_id is null then 'rows without a session_id'
            when not analytics.is_usable_session(session_id::text) then 'rows with a session_id of more than 2,000 bytes'
            else 'rows without a usable created_at'
        end as kind,
        case when session_id is null then created_at::text else left(session_id::text, 100) end as example
    from {histories}
    where not analytics.is_usable_session(session_id::text) or not analytics.is_usable_time(created_at)
) as odd
group by kind
