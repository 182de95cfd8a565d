create table app.conversations (
    id uuid primary key default gen_random_uuid(),
    channel text not null check (channel in ('email', 'whatsapp', 'linkedin', 'chat', 'crew')),
    external_id text,
    client_id uuid references app.clients on delete cascade,
    crew_id uuid references app.crews on delete cascade,
    session_id text,
    project_id uuid references app.projects on delete set null,
    lead_id uuid,
    customer_id uuid,
    subject text,
    started_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    closed_at timestamptz,
    unique (crew_id, session_id)
);
create index conversations_started_at on app.conversations (started_at);
create unique index conversations_one_open_per_lead on app.conversations (lead_id) where closed_at is null;
create index conversations_recency on app.conversations (customer_id, started_at desc);

comment on column app.conversations.closed_at is
'When the conversation was closed; null while it is open. Added by convo_pipelines.';

create trigger touch_updated_at before update on app.conversations
for each row execute function app.touch_updated_at();
