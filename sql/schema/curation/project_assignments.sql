-- Written by the trigger on app.conversations. The lock on a conversation's row makes ids follow the order of its changes.
create table if not exists curation.project_assignments (
    id bigint generated always as identity,
    conversation_id uuid not null,
    project_id uuid,
    changed_at timestamptz not null default now(),
    actor uuid
);
create index if not exists project_assignments_conversation_id on curation.project_assignments (conversation_id, id);
create index if not exists project_assignments_actor on curation.project_assignments (actor) where actor is not null;
alter table curation.project_assignments replica identity full;

comment on table curation.project_assignments is
'When and by whom each conversation was added to its project, recorded since app.conversations is captured. Rows that a '
'later one replaces are deleted with the change log.';
comment on column curation.project_assignments.id is 'In the order of a conversation''s changes.';
comment on column curation.project_assignments.conversation_id is 'The conversation in app.conversations.';
comment on column curation.project_assignments.project_id is
'The project that it was added to; null: it was removed from one, or deleted.';
comment on column curation.project_assignments.changed_at is 'When the transaction that did so began.';
comment on column curation.project_assignments.actor is
'The user that the application named: set_config(''convo.actor'', id, true) in that transaction; null if it named none, or '
'something that is no uuid.';
