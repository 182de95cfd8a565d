-- project_link_inconsistencies: where a project's deprecated array and the conversations' project_id disagree.
-- in:  keys: projects and conversations
-- out: changed; one row: present (rows before)
with entries as materialized (
    select
        project.id as project_id,
        entry.conversation_id
    from app.projects as project
    inner join keys on keys.id = project.id
    cross join lateral unnest(project.conversation_ids) as entry (conversation_id)
    where entry.conversation_id is not null
    union
    select
        project.id,
        keys.id
    from keys
    inner join app.projects as project on project.conversation_ids @> array[keys.id]
),

named as (
    select
        project_id,
        conversation_id as id
    from analytics.project_conversations
    where project_id in (select id from keys)
    union
    select
        project_id,
        conversation.id
    from app.conversations as conversation
    inner join keys on keys.id = conversation.id
),

wanted as (
    select
        entries.project_id,
        entries.conversation_id,
        case when conversation.id is null then 'stale_id' else 'project_mismatch' end as kind
    from entries
    left join app.conversations as conversation on conversation.id = entries.conversation_id
    where conversation.id is null or conversation.project_id is distinct from entries.project_id
    union all
    select
        conversation.project_id,
        conversation.id,
        'missing_from_array'
    from named
    inner join app.conversations as conversation
        on conversation.id = named.id and conversation.project_id = named.project_id
    where not exists (
        select from entries
        where entries.project_id = named.project_id and entries.conversation_id = named.id
    )
),

present as (
    select
        *,
        true as is_present
    from analytics.project_link_inconsistencies
    where project_id in (select id from keys) or conversation_id in (select id from keys)
),

compared as materialized (
    select
        project_id,
        conversation_id,
        kind,
        wanted.is_wanted,
        present.is_present
    from (select *, true as is_wanted from wanted) as wanted
    full join present using (project_id, conversation_id, kind)
    order by project_id, conversation_id  -- compared before the first insert: never with a table that grows meanwhile
),

saved as (
    insert into analytics.project_link_inconsistencies as target (project_id, conversation_id, kind)
    select
        project_id,
        conversation_id,
        kind
    from compared
    where is_wanted
    on conflict (project_id, conversation_id, kind) do update set last_seen_at = now()
),

removed as (
    delete from analytics.project_link_inconsistencies as target
    using compared
    where compared.is_wanted is null
        and target.project_id = compared.project_id
        and target.conversation_id = compared.conversation_id
        and target.kind = compared.kind
),

noted as (
    insert into changed (kind, id)
    select
        case when is_wanted then 'inserted' else 'deleted' end,
        conversation_id
    from compared
    where is_wanted is null or is_present is null
)

select count(*) as present from present;
