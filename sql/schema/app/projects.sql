create table app.projects (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references app.users on delete cascade,
    name text not null,
    conversation_ids uuid[] not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create or replace trigger touch_updated_at before update on app.projects
for each row execute function app.touch_updated_at();
