-- clients_conversations: a client is in a conversation if a person of theirs is linked to it, or if it is their crew's.
-- in:  %(window_start)s, %(window_end)s: conversations with anything changed, or a link made, in it, half-open;
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
    select conversation_id from analytics.people_conversations
    where updated_at >= %(window_start)s::timestamptz and updated_at < %(window_end)s::timestamptz
    union
    select id from app.conversations
    where id > %(slice_after)s::uuid and id <= %(slice_up_to)s::uuid
),

wanted as (
    select
        link.conversation_id,
        person.client_id
    from touched
    inner join analytics.people_conversations as link on link.conversation_id = touched.id
    inner join app.people as person on person.id = link.person_id
    union
    select
        conversation.id,
        crew.client_id
    from touched
    inner join app.conversations as conversation on conversation.id = touched.id
    inner join app.crews as crew on crew.id = conversation.crew_id
),

present as (
    select link.* from analytics.clients_conversations as link
    inner join touched on touched.id = link.conversation_id
),

different as materialized (
    select
        conversation_id,
        client_id,
        present.id
    from wanted
    full join present using (conversation_id, client_id)
    where wanted.client_id is null or present.client_id is null
    order by conversation_id  -- compared before the first insert: never with a table that grows meanwhile
),

created as (
    insert into analytics.clients_conversations (client_id, conversation_id)
    select
        client_id,
        conversation_id
    from different
    where id is null
    on conflict (client_id, conversation_id) do nothing
    returning 1
),

removed as (
    delete from analytics.clients_conversations as target
    using different
    where target.id = different.id
    returning 1
)

select
    (select count(*) from created) as inserted,
    0::bigint as updated,
    (select count(*) from removed) as deleted,
    (select count(*) from present) - (select count(*) from removed) as unchanged;
