create table app.clients (
    id uuid primary key default gen_random_uuid(),
    client_code text not null unique,
    name text not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create or replace trigger touch_updated_at before update on app.clients
for each row execute function app.touch_updated_at();
