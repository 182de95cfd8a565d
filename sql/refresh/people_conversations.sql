-- people_conversations: a person is in a conversation if a contact method of theirs, or resolved to be theirs, is
-- recipient of any of its messages, or if they are the one its session id names. A resolved participant never takes
-- a conversation that belongs to one client to a person of another; one that the application set does.
-- in:  %(window_start)s, %(window_end)s: conversations with anything changed in it, half-open;
--      %(by_activity)s: and those started or with messages sent in it;
--      %(slice_after)s, %(slice_up_to)s: and all whose id lies in (after, up to], or null
-- out: one row: inserted, updated (always 0), deleted, unchanged
with scope as (  -- where all conversations started in the window, there is no need to look for changes
    select %(by_activity)s
        and (select min(started_at) from app.conversations) >= %(window_start)s::timestamptz
        and (select max(started_at) from app.conversations) < %(window_end)s::timestamptz as is_everything
),

touched as (
    select id from app.conversations
    where (select is_everything from scope)
    union
    select conversation_id from analytics.conversation_changes
    where (select is_everything from scope) is not true
        and changed_at >= %(window_start)s::timestamptz and changed_at < %(window_end)s::timestamptz
        and (%(by_activity)s or not is_activity)
    union
    select id from app.conversations
    where id > %(slice_after)s::uuid and id <= %(slice_up_to)s::uuid
),

changed as materialized (
    select
        conversation.id,
        coalesce(crew.client_id, conversation.client_id) as client_id
    from app.conversations as conversation
    inner join touched on touched.id = conversation.id
    left join app.crews as crew on crew.id = conversation.crew_id
),

participants as (
    select distinct
        changed.id as conversation_id,
        changed.client_id,
        recipient.contact_method_id
    from changed
    inner join app.messages as message on message.conversation_id = changed.id
    inner join app.message_recipients as recipient on recipient.message_id = message.id
),

wanted as (
    select
        participants.conversation_id,
        resolution.person_id
    from participants
    inner join analytics.participant_resolutions as resolution using (contact_method_id)
    inner join app.people as person on person.id = resolution.person_id
    where resolution.method = 'manual'
        or participants.client_id is null
        or participants.client_id = person.client_id
    union
    select
        changed.id,
        resolution.person_id
    from changed
    inner join analytics.session_resolutions as resolution on resolution.conversation_id = changed.id
    where resolution.person_id is not null
),

present as (
    select link.* from analytics.people_conversations as link
    inner join changed on changed.id = link.conversation_id
),

different as materialized (
    select
        conversation_id,
        person_id,
        present.id
    from wanted
    full join present using (conversation_id, person_id)
    where wanted.person_id is null or present.person_id is null
    order by conversation_id  -- compared before the first insert: never with a table that grows meanwhile
),

created as (
    insert into analytics.people_conversations (person_id, conversation_id)
    select
        person_id,
        conversation_id
    from different
    where id is null
    on conflict (person_id, conversation_id) do nothing
    returning 1
),

removed as (
    delete from analytics.people_conversations as target
    using different
    where target.id = different.id
    returning 1
)

select
    (select count(*) from created) as inserted,
    0::bigint as updated,
    (select count(*) from removed) as deleted,
    (select count(*) from present) - (select count(*) from removed) as unchanged;
