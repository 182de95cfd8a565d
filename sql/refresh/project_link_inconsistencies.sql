-- project_link_inconsistencies: where a project's deprecated array and the conversations' project_id disagree.
-- in:  keys: projects and conversations
-- out: different; one row: present (rows before)
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
    select project_id, conversation_id, kind from analytics.project_link_inconsistencies
    where project_id in (select id from keys) or conversation_id in (select id from keys)
),

compared as (
    insert into different (change, project_id, conversation_id, kind)
    select
        case
            when present.project_id is null then 'inserted'
            when wanted.project_id is null then 'deleted'
            else 'seen'
        end,
        project_id,
        conversation_id,
        kind
    from wanted
    full join present using (project_id, conversation_id, kind)
)

select count(*) as present from present;
