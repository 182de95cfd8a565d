-- The sources of identifiers that decide which persons the named sessions and conversations have: the conversations, and their
-- recipients; the named persons, with their contact methods and decisions; and the persons, contact methods and decisions with
-- unread changes, if there are 1,000 of them or fewer.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair; %(asked_conversations)s; %(asked_people)s;
--      %(unread_since)s: unread changes were logged since this snapshot; null: nothing was read yet
-- out: rank, source, id
with unread as (
    select
        change.source,
        change.id
    from (
        select 'people' as source, id, xid from analytics.changed_people
        union all
        select 'contact_methods', id, xid from analytics.changed_contact_methods
        union all
        select 'participant_decisions', id, xid from analytics.participant_decisions_changes
    ) as change
    where analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot) and change.id is not null
    union
    (
        select
            unread.source,
            unread.id
        from (
            select
                'people' as source,
                id
            from app.people
            union all
            select
                'contact_methods',
                id
            from app.contact_methods
            union all
            select
                'participant_decisions',
                id
            from curation.participant_decisions
        ) as unread
        where %(unread_since)s::text is null
        limit 1001
    )
    limit 1001
),

person as (
    select unnest(%(asked_people)s::uuid[]) as id
),

conversation as (
    select unnest(%(asked_conversations)s::uuid[]) as id
)

select
    rank,
    source,
    id
from (
    select
        read.rank,
        read.source,
        unread.id
    from unread
    inner join (
        values
        ('people', 1, 'person'),
        ('participant_decisions', 2, 'link'),
        ('participant_decisions', 3, 'never'),
        ('contact_methods', 4, 'contact_method')
    ) as read (table_name, rank, source) on read.table_name = unread.source
    where (select count(*) from unread) <= 1000
    union
    select
        5,
        'conversation',
        conversation.id
    from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id)
    inner join app.conversations as conversation
        on conversation.crew_id = asked.crew_id and conversation.session_id = asked.session_id
    union
    select
        5,
        'conversation',
        id
    from conversation
    union
    select
        4,
        'contact_method',
        recipient.contact_method_id
    from conversation
    inner join app.messages as message on message.conversation_id = conversation.id
    inner join app.message_recipients as recipient on recipient.message_id = message.id
    union
    select
        1,
        'person',
        id
    from person
    union
    select
        case decision.decision when 'link' then 2 else 3 end,
        decision.decision,
        decision.id
    from person
    inner join curation.participant_decisions as decision on decision.person_id = person.id
    union
    select
        4,
        'contact_method',
        contact.id
    from person
    inner join app.contact_methods as contact on contact.person_id = person.id
) as asked;
