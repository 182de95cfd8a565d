-- The sources of identifiers that decide which persons the named sessions have: their conversations; and the persons, contact
-- methods and decisions with unread changes, if there are 1,000 of them or fewer.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair; %(unread_since)s: unread changes were logged since this snapshot;
--      null: nothing was read yet
-- out: rank, source, id
with unread as (
    select
        source,
        id
    from analytics.identifier_changes
    where analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
        and source in ('people', 'contact_methods', 'participant_decisions')
        and id is not null
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
) as asked;
