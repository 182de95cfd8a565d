-- The tables that have not read all changes of a person, of what is the person's, and of the conversations linked to the person.
-- in:  %(person_id)s
-- out: a row per table: table_name
with known as (
    select %(person_id)s::uuid as id
    union
    select source_id from analytics.identifiers
    where person_id = %(person_id)s::uuid
    union
    select contact_method_id from analytics.participant_resolutions
    where person_id = %(person_id)s::uuid
    union
    select id from curation.participant_decisions
    where person_id = %(person_id)s::uuid
),

logged as (
    select
        change.source,
        change.operation,
        change.xid
    from (
        select 'people' as source, id, operation, xid from analytics.changed_people
        union all
        select 'contact_methods', id, operation, xid from analytics.changed_contact_methods
        union all
        select 'participant_decisions', id, operation, xid from analytics.participant_decisions_changes
        union all
        select 'participant_resolutions', contact_method_id, operation, xid from analytics.participant_resolutions_changes
        where conversation_id is null
    ) as change
    where change.id is null or change.id in (select id from known)
    union all
    select
        change.source,
        change.operation,
        change.xid
    from (
        select 'conversations' as source, id as conversation_id, operation, xid from analytics.changed_conversations
        union all
        select 'messages', conversation_id, operation, xid from analytics.changed_messages
        union all
        select 'people_conversations', conversation_id, operation, xid from analytics.people_conversations_changes
        union all
        select 'participant_resolutions', conversation_id, operation, xid from analytics.participant_resolutions_changes
    ) as change
    where change.conversation_id in (
        select conversation_id from analytics.people_conversations
        where person_id = %(person_id)s::uuid
    )
)

select asset_key as table_name from analytics.refresh_state as reader
where exists (
    select from logged
    where reader.follows && array[logged.source, logged.source || ' ' || logged.operation]
        and analytics.is_unread(logged.xid, reader.snapshot)
)
order by asset_key;
