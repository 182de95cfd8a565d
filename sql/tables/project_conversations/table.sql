create table analytics.project_conversations (
    id uuid primary key default gen_random_uuid(),
    project_id uuid not null references app.projects on delete cascade,
    conversation_id uuid not null unique references app.conversations on delete cascade,
    added_at timestamptz not null,
    added_by uuid references app.users on delete set null,
    added_by_is text not null check (added_by_is in ('actor', 'owner'))
);
create index project_conversations_project_id on analytics.project_conversations (project_id, added_at);
create index project_conversations_added_by on analytics.project_conversations (added_by);

comment on table analytics.project_conversations is
'The project of each conversation that names one, from app.conversations.project_id.';
comment on column analytics.project_conversations.id is 'Key of the link.';
comment on column analytics.project_conversations.project_id is 'The project in app.projects.';
comment on column analytics.project_conversations.conversation_id is 'The conversation, which has at most one project.';
comment on column analytics.project_conversations.added_at is
'When the conversation was added to the project, if app.conversations was captured then; else the conversation''s '
'created_at, or its updated_at if a tick saw it join the project later.';
comment on column analytics.project_conversations.added_by is
'The user who added it, or the project''s owner: see added_by_is. Null if that user was deleted.';
comment on column analytics.project_conversations.added_by_is is
'actor: added_by is the user that the application named when it added the conversation (convo.actor); owner: it named '
'none, and added_by is the user the project belonged to when the link was written.';

create or replace view analytics.conversations_per_project as
select
    project_id,
    count(*) as conversations,
    max(added_at) as last_added_at
from analytics.project_conversations
group by project_id;

comment on view analytics.conversations_per_project is 'Number of conversations of each project that has any.';
comment on column analytics.conversations_per_project.project_id is 'The project.';
comment on column analytics.conversations_per_project.conversations is 'Conversations that name the project.';
comment on column analytics.conversations_per_project.last_added_at is 'When the last of them was added.';

create or replace view analytics.projects_this_week as
select
    link.project_id,
    project.name::text as project_name,
    link.conversation_id,
    conversation.channel::text,
    conversation.subject::text,
    link.added_at,
    link.added_by,
    adder.name::text as added_by_name,
    link.added_by_is
from analytics.project_conversations as link
inner join app.projects as project on project.id = link.project_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join app.users as adder on adder.id = link.added_by
where link.added_at >= date_trunc('week', now() at time zone 'UTC') at time zone 'UTC';

comment on view analytics.projects_this_week is 'Conversations added to a project since Monday, 00:00 UTC.';
comment on column analytics.projects_this_week.project_id is 'The project.';
comment on column analytics.projects_this_week.project_name is 'The project''s name.';
comment on column analytics.projects_this_week.conversation_id is 'The conversation.';
comment on column analytics.projects_this_week.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.projects_this_week.subject is 'The subject, of an e-mail thread. Personal data.';
comment on column analytics.projects_this_week.added_at is 'When it was added to the project.';
comment on column analytics.projects_this_week.added_by is 'The user who added it, or the project''s owner.';
comment on column analytics.projects_this_week.added_by_name is 'That user''s name. Personal data.';
comment on column analytics.projects_this_week.added_by_is is
'actor: the user who added it; owner: the user the project belonged to.';
