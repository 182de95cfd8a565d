-- name: asked
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


-- name: every
-- All sources of identifiers, and those that are gone: persons first, so that identifiers have their holders before they are
-- resolved.
-- in:  %(is_first)s; %(after_rank)s, %(after_id)s: the last one before; %(rows)s: how many
-- out: rank (0: gone), source, id
(
    select distinct
        0 as rank,
        source,
        source_id as id
    from analytics.identifiers as known
    where (%(is_first)s or (0, source_id) > (%(after_rank)s::int, %(after_id)s::uuid))
        and case source
            when 'person' then not exists (select from app.people where id = known.source_id)
            when 'contact_method' then not exists (select from app.contact_methods where id = known.source_id)
            when 'conversation' then not exists (
                select from analytics.identifier_sources as found
                where found.source = 'conversation' and found.source_id = known.source_id
            )
            else not exists (
                select from curation.participant_decisions
                where id = known.source_id and decision = known.source and revoked_at is null
            )
        end
    order by source_id
    limit %(rows)s
)
union all
(
    select 1, 'person', id from app.people
    where %(is_first)s or (1, id) > (%(after_rank)s::int, %(after_id)s::uuid)
    order by id
    limit %(rows)s
)
union all
(
    select
        given.rank,
        decision.decision,
        decision.id
    from curation.participant_decisions as decision
    inner join (values (2, 'link'), (3, 'never')) as given (rank, decision) using (decision)
    where decision.revoked_at is null
        and (%(is_first)s or (given.rank, decision.id) > (%(after_rank)s::int, %(after_id)s::uuid))
    order by given.rank, decision.id
    limit %(rows)s
)
union all
(
    select 4, 'contact_method', id from app.contact_methods
    where %(is_first)s or (4, id) > (%(after_rank)s::int, %(after_id)s::uuid)
    order by id
    limit %(rows)s
)
union all
(
    select 5, 'conversation', source_id from analytics.identifier_sources
    where source = 'conversation' and (%(is_first)s or (5, source_id) > (%(after_rank)s::int, %(after_id)s::uuid))
    order by source_id
    limit %(rows)s
);


-- name: given
-- The identifiers whose contact methods have to be resolved anew.
-- in:  %(touched_identifiers)s
-- out: a query of a statement: touched_identifiers
touched_identifiers as materialized (
    select unnest(%(touched_identifiers)s::text[]) as identifier
);


-- name: is_present
-- Which resolutions the keys concern: those of contact methods among them, or with one of the changed identifiers.
-- in:  keys: sources of identifiers; touched_identifiers
contact_method_id in (
    select known.source_id
    from touched_identifiers as touched
    cross join lateral (  -- by index, whatever the planner expects of a table that has just been filled
        select source_id from analytics.identifiers
        where identifier = touched.identifier and source = 'contact_method'
        offset 0
    ) as known
    union
    select id from keys
    where source = 'contact_method'
);


-- name: odd
-- Contact methods that no identifier is read from.
-- in:  keys: sources of identifiers
-- out: kind, rows, example
select
    'contact methods without a usable kind and value' as kind,
    count(*) as rows,
    min(contact.id::text) as example
from keys
inner join app.contact_methods as contact on contact.id = keys.id
where keys.source = 'contact_method'
    and not coalesce(contact.kind::text in ('email', 'phone', 'linkedin') and contact.value is not null, false);


-- name: retried
-- Contact methods that the last tick logged for retry.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
-- out: rank, source, id
select
    4 as rank,
    'contact_method' as source,
    contact_method_id as id
from analytics.participant_resolutions_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and operation = 'retry';


-- name: facts
-- The number of contact methods with each status.
-- out: one row
select
    count(*) filter (where status = 'resolved') as resolved,
    count(*) filter (where status = 'ambiguous') as ambiguous,
    count(*) filter (where status = 'unmatched') as unmatched,
    count(*) filter (where status = 'invalid') as invalid
from analytics.participant_resolutions;
