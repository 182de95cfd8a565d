-- A page of a client's conversations, newest first; each parameter but the first two may be null.
-- in:  %(client)s: client_code; %(rows)s: maximum number; %(channel)s; %(crew)s: crew_code; %(project)s: id; %(is_open)s;
--      %(before)s, %(before_id)s: start and id of the last row of the previous page
-- out: conversation_id, channel, crew_code, project_id, started_at, closed_at, and, null without messages:
--      message_count, ended_at, first_response_seconds
select
    link.conversation_id,
    link.channel,
    crew.crew_code,
    link.project_id,
    link.started_at,
    link.closed_at,
    summary.message_count,
    summary.ended_at,
    summary.first_response_seconds
from analytics.clients_conversations as link
left join analytics.conversation_summaries as summary on summary.conversation_id = link.conversation_id
left join analytics.crew_names as crew on crew.crew_id = link.crew_id
where link.client_id = (select client_id from analytics.client_names where client_code = %(client)s)
    and (%(channel)s::text is null or link.channel = %(channel)s)
    and (%(crew)s::text is null or link.crew_id = (select crew_id from analytics.crew_names where crew_code = %(crew)s))
    and (%(project)s::uuid is null or link.project_id = %(project)s)
    and case %(is_open)s::boolean when true then link.closed_at is null when false then link.closed_at is not null else true end
    and (
        %(before)s::timestamptz is null
        or (link.started_at, link.conversation_id) < (%(before)s::timestamptz, %(before_id)s::uuid)
    )
order by link.started_at desc, link.conversation_id desc
limit %(rows)s;
