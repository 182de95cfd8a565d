create table analytics.project_link_inconsistencies (
    project_id uuid not null references app.projects on delete cascade,
    conversation_id uuid not null,
    kind text not null check (kind in ('stale_id', 'project_mismatch', 'missing_from_array')),
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    named_project_id uuid,
    primary key (project_id, conversation_id, kind)
);
create index project_link_inconsistencies_conversation_id
on analytics.project_link_inconsistencies (conversation_id);

comment on table analytics.project_link_inconsistencies is
'Where the deprecated app.projects.conversation_ids disagrees with app.conversations.project_id, as of now.';
comment on column analytics.project_link_inconsistencies.project_id is 'The project with the array.';
comment on column analytics.project_link_inconsistencies.conversation_id is 'The conversation; it may not exist.';
comment on column analytics.project_link_inconsistencies.kind is
'stale_id: the array names a conversation that does not exist; project_mismatch: the conversation in the array '
'names another project or none; missing_from_array: the conversation names the project, but the array does not '
'contain it.';
comment on column analytics.project_link_inconsistencies.first_seen_at is
'When a refresh first found the inconsistency.';
comment on column analytics.project_link_inconsistencies.last_seen_at is 'When a refresh last found the inconsistency.';
comment on column analytics.project_link_inconsistencies.named_project_id is
'The project that the conversation names; null if it names none or does not exist.';
