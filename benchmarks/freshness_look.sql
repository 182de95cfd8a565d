-- Which of the rows that are waited for are there, by their keys.
-- in:  arrays: %(numbers)s, %(tables)s, %(crews)s and %(sessions)s, %(conversations)s, %(others)s: a person, client,
--      contact method or project, %(counts)s: of messages at least, or 1 and 0: whether there shall be a row; %(day)s
-- out: the numbers of those that are as they shall be
with wanted as materialized (
    select
        number,
        table_name,
        crew_id,
        session_id,
        other_id,
        at_least,
        coalesce(
            conversation_id,
            (
                select conversation.id from app.conversations as conversation
                where conversation.crew_id = given.crew_id and conversation.session_id = given.session_id
            )
        ) as conversation_id
    from unnest(
        %(numbers)s::bigint[], %(tables)s::text[], %(crews)s::uuid[], %(sessions)s::text[],
        %(conversations)s::uuid[], %(others)s::uuid[], %(counts)s::bigint[]
    ) as given (number, table_name, crew_id, session_id, conversation_id, other_id, at_least)
)

select number
from wanted
where case table_name
    when 'histories_sessions' then exists (
        select from analytics.histories_sessions as found
        where found.crew_id = wanted.crew_id and found.session_id = wanted.session_id
            and found.activity_date = %(day)s and found.message_count >= at_least
    )
    when 'crew_conversations' then conversation_id is not null
    when 'conversation_summaries' then exists (
        select from analytics.conversation_summaries as found
        where found.conversation_id = wanted.conversation_id and found.message_count >= at_least
    )
    when 'conversation_days' then exists (
        select from analytics.conversation_days as found
        where found.conversation_id = wanted.conversation_id and found.activity_date = %(day)s
            and found.message_count >= at_least
    )
    when 'crew_activity_daily' then exists (
        select from analytics.crew_activity_daily as found
        where found.crew_id = wanted.crew_id and found.activity_date = %(day)s and found.messages >= at_least
    )
    when 'client_activity_daily' then exists (
        select from analytics.client_activity_daily as found
        where found.client_id = wanted.other_id and found.activity_date = %(day)s and found.messages >= at_least
    )
    when 'participant_resolutions' then exists (
        select from analytics.participant_resolutions as found
        where found.contact_method_id = wanted.other_id
            and found.status = any(case at_least when 0 then array['unmatched', 'resolved'] else array['resolved'] end)
    )
    when 'people_conversations' then at_least = (
        select count(*) from analytics.people_conversations as found
        where found.person_id = wanted.other_id and found.conversation_id = wanted.conversation_id
    )
    when 'clients_conversations' then exists (
        select from analytics.clients_conversations as found
        where found.client_id = wanted.other_id and found.conversation_id = wanted.conversation_id
    )
    when 'project_conversations' then exists (
        select from analytics.project_conversations as found
        where found.project_id = wanted.other_id and found.conversation_id = wanted.conversation_id
    )
    when 'project_link_inconsistencies' then exists (
        select from analytics.project_link_inconsistencies as found
        where found.project_id = wanted.other_id and found.conversation_id = wanted.conversation_id
    )
end
