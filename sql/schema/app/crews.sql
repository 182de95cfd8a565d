create table app.crews (
    id uuid primary key default gen_random_uuid(),
    client_id uuid not null references app.clients on delete cascade,
    crew_code text not null unique,
    name text not null,
    histories_table_name text not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    session_kind text check (session_kind in ('email', 'phone', 'linkedin', 'other'))
);

create or replace trigger touch_updated_at before update on app.crews
for each row execute function app.touch_updated_at();
