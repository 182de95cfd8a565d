-- The refused conversations, by the rule that refuses them.
-- in:  %(is_all)s: first forget those that are there by now, that the application has deleted since, or whose session is gone
-- out: kind, rows, example (null: whatever names one of them is personal)
with settled as (
    delete from analytics.refused_conversations as refused
    where %(is_all)s
        and (
            exists (
                select from app.conversations as conversation
                where conversation.crew_id = refused.crew_id and conversation.session_id = refused.session_id
            )
            or exists (
                select from analytics.deleted_conversations as deleted
                where deleted.crew_id = refused.crew_id and deleted.session_id = refused.session_id
            )
            or not exists (
                select from analytics.histories_sessions as day
                where day.crew_id = refused.crew_id and day.session_id = refused.session_id
            )
        )
    returning refused.crew_id, refused.session_id
)

select
    'conversations refused by ' || refused_by as kind,
    count(*) as rows,
    null as example
from analytics.refused_conversations
where (crew_id, session_id) not in (select crew_id, session_id from settled)
group by refused_by;
