-- Whom an identifier names in the conversations of each client that knows it.
-- in:  {conversations}: those in which it occurs; %(key)s: the identifier, or the id of a contact method without one
-- out: client (null: conversations without one), status, person_id, person, method, candidates (persons of the client who have
--      it), conversations
with conversations as (
{conversations}
),

clients as (
    select
        owner.client_id,
        count(*) as conversations
    from conversations
    inner join analytics.conversation_owners as owner on owner.conversation_id = conversations.conversation_id
    group by owner.client_id
    union all
    select
        client_id,
        0
    from analytics.identifiers
    where identifier = %(key)s and client_id is not null
),

known as (
    select
        client_id,
        sum(conversations)::bigint as conversations
    from clients
    group by client_id
)

select
    client.client_code as client,
    case
        when person.id is not null then 'resolved'
        when holder.candidate_count > 1 then 'ambiguous'
        else 'unmatched'
    end as status,
    person.id as person_id,
    person.name as person,
    case
        when person.id is null then null
        when holder.is_decided then 'decision'
        else analytics.kind_of(%(key)s)
    end as method,
    holder.candidate_count as candidates,
    known.conversations
from known
cross join lateral analytics.holder_of(%(key)s, known.client_id) as holder
left join app.clients as client on client.id = known.client_id
left join app.people as person on person.id = holder.person_id
order by client.client_code;
