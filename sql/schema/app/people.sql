create table app.people (
    id uuid primary key default gen_random_uuid(),
    client_id uuid not null references app.clients on delete cascade,
    name text not null,
    email text,
    phone text,
    linkedin_urn text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create or replace trigger touch_updated_at before update on app.people
for each row execute function app.touch_updated_at();
