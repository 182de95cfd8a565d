-- Remembers which sessions' conversations were deleted: what is there now is not new.
-- in:  moved
-- out: one row: rows
with written as (
    insert into analytics.deleted_conversations (crew_id, session_id, deleted_at, snapshot)
    select
        (line -> 'row' ->> 'crew_id')::uuid,
        line -> 'row' ->> 'session_id',
        (line -> 'row' ->> 'deleted_at')::timestamptz,
        pg_current_snapshot()
    from moved
    where line ->> 'table' = 'deleted_conversations'
    on conflict (crew_id, session_id) do nothing
    returning 1
)

select count(*) as rows from written;
