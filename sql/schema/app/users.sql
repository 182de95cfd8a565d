create table app.users (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create or replace trigger touch_updated_at before update on app.users
for each row execute function app.touch_updated_at();
