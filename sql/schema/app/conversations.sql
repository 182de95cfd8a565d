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
    unique (crew_id, session_id)
);

create or replace trigger touch_updated_at before update on app.conversations
for each row execute function app.touch_updated_at();
