-- Opens a crew's tick: creates its state, and starts over where the table was truncated or swapped.
-- in:  {histories}; %(crew_id)s, %(table_name)s
-- out: one row: watermark_id, pending_id, pending_since, pending_transactions, restarted
--      (whether it had read a different table)
with newest as (
    select coalesce(max(id), 0) as id from {histories}
),

known as (
    select
        state.crew_id,
        state.histories_table_name <> %(table_name)s or newest.id < state.watermark_id as restarted
    from analytics.crew_discovery_state as state, newest
    where state.crew_id = %(crew_id)s::uuid
),

forgotten as (  -- what the new table covers is read again; days it does not reach are archive
    delete from analytics.histories_sessions as day
    using known
    where known.restarted
        and day.crew_id = known.crew_id
        and day.activity_date >= (
            select (min(created_at) at time zone 'UTC')::date from {histories} where created_at >= '0001-01-02'
        )
    returning day.session_id
),

stale as (
    update analytics.conversation_summaries as summary
    set refreshed_at = '-infinity'
    from app.conversations as conversation
    where conversation.crew_id = %(crew_id)s::uuid
        and conversation.session_id in (select session_id from forgotten)
        and summary.conversation_id = conversation.id
)

insert into analytics.crew_discovery_state as state (crew_id, histories_table_name)
values (%(crew_id)s::uuid, %(table_name)s)
on conflict (crew_id) do update set
    histories_table_name = excluded.histories_table_name,
    watermark_id = case when (select restarted from known) then 0 else state.watermark_id end,
    pending_id = case when not (select restarted from known) then state.pending_id end,
    pending_since = case when not (select restarted from known) then state.pending_since end,
    pending_transactions = case when not (select restarted from known) then state.pending_transactions end
returning
    watermark_id, pending_id, pending_since, pending_transactions, coalesce((select restarted from known), false) as restarted;
