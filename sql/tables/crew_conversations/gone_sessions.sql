-- Deletes from deleted_conversations and refused_conversations sessions without session-days, whose conversations cannot come
-- back anyway, and their examples of odd rows.
-- in:  %(unread_since)s: the watermark of crew_conversations, or null: all changes in the log
with gone as materialized (
    select distinct
        change.crew_id,
        change.session_id
    from (
        select crew_id, session_id, xid from analytics.histories_sessions_changes
        union all
        select crew_id, session_id, xid from analytics.conversations_changes
    ) as change
    where change.session_id is not null
        and analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
        and not exists (
            select from analytics.histories_sessions as day
            where day.crew_id = change.crew_id and day.session_id = change.session_id
        )
),

examples as (
    update analytics.oddities as oddity
    set example = null
    from gone
    where oddity.crew_id = gone.crew_id and oddity.example = gone.session_id
),

refused as (
    delete from analytics.refused_conversations as target
    using gone
    where target.crew_id = gone.crew_id and target.session_id = gone.session_id
)

delete from analytics.deleted_conversations as target
using gone
where target.crew_id = gone.crew_id and target.session_id = gone.session_id;
