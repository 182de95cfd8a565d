-- name: sessions
-- Puts archived session-days where there are none that count more.
-- in:  moved
-- out: one row: rows
with archived as (
    select day.*
    from moved
    cross join lateral jsonb_populate_record(null::analytics.histories_sessions, line -> 'row') as day
    where line ->> 'table' = 'histories_sessions'
),

written as (
    insert into analytics.histories_sessions as present
    select * from archived
    on conflict (crew_id, session_id, activity_date) do update set
        message_count = excluded.message_count,
        human_count = excluded.human_count,
        ai_count = excluded.ai_count,
        tool_call_count = excluded.tool_call_count,
        first_message_at = least(present.first_message_at, excluded.first_message_at),
        last_message_at = greatest(present.last_message_at, excluded.last_message_at),
        first_human_at = least(present.first_human_at, excluded.first_human_at),
        first_ai_at = least(present.first_ai_at, excluded.first_ai_at),
        last_human_at = greatest(present.last_human_at, excluded.last_human_at),
        last_ai_at = greatest(present.last_ai_at, excluded.last_ai_at),
        first_response_at = excluded.first_response_at,
        unanswered_since = excluded.unanswered_since,
        archived_at = excluded.archived_at
    where excluded.message_count > present.message_count
    returning crew_id, session_id, activity_date
),

logged as (
    insert into analytics.histories_sessions_changes (crew_id, session_id, activity_date, operation)
    select
        crew_id,
        session_id,
        activity_date,
        'update'
    from written
)

select count(*) as rows from written;


-- name: tombstones
-- Remembers which sessions' conversations were deleted: what is there now is not new.
-- in:  moved
-- out: one row: rows
with written as (
    insert into analytics.deleted_conversations (crew_id, session_id, deleted_at, snapshot)
    select
        (line -> 'row' ->> 'crew_id')::uuid,
        line -> 'row' ->> 'session_id',
        (line -> 'row' ->> 'deleted_at')::timestamptz,
        pg_current_snapshot()
    from moved
    where line ->> 'table' = 'deleted_conversations'
    on conflict (crew_id, session_id) do nothing
    returning 1
)

select count(*) as rows from written;


-- name: decisions
-- Adds the decisions that are not there, those in force last, as these may contradict former ones.
-- in:  moved
-- out: one row: rows
with written as (
    insert into curation.participant_decisions
    select decided.*
    from moved
    cross join lateral jsonb_populate_record(null::curation.participant_decisions, line -> 'row') as decided
    where line ->> 'table' = 'participant_decisions'
        and not exists (select from curation.participant_decisions as present where present.id = decided.id)
    order by decided.revoked_at is null, decided.decided_at
    returning 1
)

select count(*) as rows from written;


-- name: assignments
-- Puts when and by whom conversations were added to their projects in the place of what the move itself recorded.
-- Conversations that have another project by now are left.
-- in:  moved
-- out: one row: rows
with former as (
    select added.*
    from moved
    cross join lateral jsonb_populate_record(null::curation.project_assignments, line -> 'row') as added
    inner join app.conversations as conversation
        on conversation.id = added.conversation_id and conversation.project_id = added.project_id
    where line ->> 'table' = 'project_assignments'
        and not exists (
            select from curation.project_assignments as present
            where present.conversation_id = added.conversation_id and present.project_id = added.project_id
                and present.changed_at = added.changed_at
        )
),

replaced as (
    delete from curation.project_assignments
    where conversation_id in (select conversation_id from former)
),

written as (
    insert into curation.project_assignments (conversation_id, project_id, changed_at, actor)
    select
        conversation_id,
        project_id,
        changed_at,
        actor
    from former
    returning conversation_id
),

logged as (
    insert into analytics.project_conversations_changes (conversation_id, operation)
    select
        conversation_id,
        'retry'
    from written
)

select count(*) as rows from written;


-- name: export
-- What cannot be computed again of a client: archived session-days, tombstones, decisions, and when and by whom conversations
-- were added to projects.
-- in:  {client}: its id, as a literal
-- out: a JSON object per row: table, row
copy (
    select jsonb_build_object('table', 'histories_sessions', 'row', to_jsonb(day))
    from analytics.histories_sessions as day
    inner join app.crews as crew on crew.id = day.crew_id
    where crew.client_id = {client} and day.archived_at is not null
    union all
    select jsonb_build_object(
        'table', 'deleted_conversations',
        'row', jsonb_build_object('crew_id', crew_id, 'session_id', session_id, 'deleted_at', deleted_at)
    )
    from analytics.deleted_conversations
    inner join app.crews as crew on crew.id = crew_id
    where crew.client_id = {client}
    union all
    select jsonb_build_object('table', 'participant_decisions', 'row', to_jsonb(decided))
    from curation.participant_decisions as decided
    inner join app.people as person on person.id = decided.person_id
    where person.client_id = {client}
        and (
            decided.contact_method_id is null
            or exists (select from app.contact_methods as method where method.id = decided.contact_method_id)
        )
    union all
    select jsonb_build_object(
        'table', 'project_assignments',
        'row', jsonb_build_object(
            'conversation_id', link.conversation_id,
            'project_id', link.project_id,
            'changed_at', link.added_at,
            'actor', case link.added_by_is when 'actor' then link.added_by end
        )
    )
    from analytics.project_conversations as link
    inner join analytics.conversation_owners as owner using (conversation_id)
    where owner.client_id = {client}
) to stdout;


-- name: stage
-- Where the rows of a file are, until the transaction ends.
create temporary table pg_temp.moved (line jsonb) on commit drop;


-- name: strangers
-- The objects that the rows of a file name but that this database does not have.
-- in:  moved
-- out: a row per thing: what, id; at most ten
with named as (
    select distinct
        line ->> 'table' as table_name,
        line -> 'row' as row
    from moved
)

select distinct
    'crew' as what,
    row ->> 'crew_id' as id
from named
where row ? 'crew_id' and not exists (select from app.crews where crews.id = (row ->> 'crew_id')::uuid)
union all
select distinct
    'person',
    row ->> 'person_id'
from named
where row ? 'person_id' and not exists (select from app.people where people.id = (row ->> 'person_id')::uuid)
union all
select distinct
    'contact method',
    row ->> 'contact_method_id'
from named
where row ->> 'contact_method_id' is not null
    and not exists (select from app.contact_methods where contact_methods.id = (row ->> 'contact_method_id')::uuid)
union all
select distinct
    'conversation',
    row ->> 'conversation_id'
from named
where row ? 'conversation_id'
    and not exists (select from app.conversations where conversations.id = (row ->> 'conversation_id')::uuid)
limit 10;
