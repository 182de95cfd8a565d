-- project_link_inconsistencies: where a project's deprecated array and the conversations' project_id disagree.
-- If app.projects has no column conversation_ids, the name resolves to that of `gone`, which is null: no array has entries.
-- Conversations that name a project are found by project_conversations: app.conversations may have no index of their projects.
-- That table may have read less than this one, so the rows that are there are looked at, too.
-- in:  keys: projects and conversations; present: their inconsistencies
with gone (conversation_ids) as not materialized (select null::uuid[]),

entries as materialized (
    select
        project.id as project_id,
        entry.conversation_id
    from keys
    cross join gone
    cross join lateral (select id, conversation_ids from app.projects where id = keys.id) as project
    cross join lateral unnest(project.conversation_ids) as entry (conversation_id)
    where entry.conversation_id is not null
    union
    select
        project.id,
        keys.id
    from keys
    cross join gone
    cross join lateral (select id from app.projects where conversation_ids @> array[keys.id]) as project
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
        conversation_id
    from present
    union
    select
        project_id,
        conversation.id
    from app.conversations as conversation
    inner join keys on keys.id = conversation.id
)

select
    entries.project_id,
    entries.conversation_id,
    case when conversation.id is null then 'stale_id' else 'project_mismatch' end as kind,
    conversation.project_id as named_project_id
from entries
left join app.conversations as conversation on conversation.id = entries.conversation_id
where conversation.id is null or conversation.project_id is distinct from entries.project_id
union all
select
    conversation.project_id,
    conversation.id,
    'missing_from_array',
    conversation.project_id
from named
inner join app.conversations as conversation
    on conversation.id = named.id and conversation.project_id = named.project_id
inner join app.projects as project on project.id = named.project_id
where not exists (
    select from entries
    where entries.project_id = named.project_id and entries.conversation_id = named.id
)
    and exists (
        select from pg_attribute
        where attrelid = 'app.projects'::regclass and attname = 'conversation_ids'
    );
