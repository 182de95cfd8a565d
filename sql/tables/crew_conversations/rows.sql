-- crew_conversations: a row of app.conversations for each session without one. A conversation that the application deleted
-- comes back only with new messages: those of transactions that no deleting transaction saw.
-- in:  keys: sessions; present: their conversations; %(unread_since)s: the watermark, or null
with deleted as (  -- in this statement's snapshot, so that the deletions that it sees are recognized
    select
        crew_id,
        session_id,
        snapshot,
        xid
    from analytics.deletions(%(unread_since)s::pg_snapshot)
    where (crew_id, session_id) in (select crew_id, session_id from keys)
),

news as (  -- read ones, too: a transaction that is open at one tick may have deleted the conversation at the next
    select distinct
        change.crew_id,
        change.session_id,
        writer.xid
    from (
        select crew_id, session_id, xid, xids from analytics.histories_sessions_changes
        union all
        select crew_id, session_id, xid, xids from analytics.crew_conversations_changes
    ) as change
    cross join lateral unnest(change.xids) as writer (xid)
    where change.xid >= coalesce(pg_snapshot_xmin(%(unread_since)s::pg_snapshot), '0'::xid8)
        and change.xids is not null
        and (change.crew_id, change.session_id) in (select crew_id, session_id from keys)
),

still_deleted as (
    select
        crew_id,
        session_id
    from deleted
    except
    select
        crew_id,
        session_id
    from news
    where not exists (
        select from deleted
        where deleted.crew_id = news.crew_id and deleted.session_id = news.session_id
            and (news.xid = deleted.xid or pg_visible_in_snapshot(news.xid, deleted.snapshot))
    )
)

select
    gen_random_uuid() as id,
    'crew' as channel,
    day.session_id as external_id,
    crew.client_id,
    day.crew_id,
    day.session_id,
    min(day.first_message_at) as started_at
from keys
inner join app.crews as crew on crew.id = keys.crew_id
inner join analytics.histories_sessions as day on day.crew_id = keys.crew_id and day.session_id = keys.session_id
left join present on present.crew_id = keys.crew_id and present.session_id = keys.session_id
left join still_deleted on still_deleted.crew_id = keys.crew_id and still_deleted.session_id = keys.session_id
where present.crew_id is null and still_deleted.crew_id is null
group by day.crew_id, day.session_id, crew.client_id;
