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
        source,
        operation,
        xid
    from analytics.identifier_changes
    where id is null or id in (select id from known)
    union all
    select
        source,
        operation,
        xid
    from analytics.conversation_changes
    where conversation_id in (
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
