-- The conversations of a project, in the order in which they were added.
-- in:  %(project)s: id; %(start)s, %(end)s: added in this half-open span, or null
-- out: conversation_id, channel, subject, added_at, added_by, added_by_is (actor or owner)
select
    link.conversation_id,
    conversation.channel,
    conversation.subject,
    link.added_at,
    link.added_by,
    link.added_by_is
from analytics.project_conversations as link
inner join analytics.conversation_subjects as conversation using (conversation_id)
where link.project_id = %(project)s::uuid
    and (%(start)s::timestamptz is null or link.added_at >= %(start)s)
    and (%(end)s::timestamptz is null or link.added_at < %(end)s)
order by link.added_at, link.conversation_id;
