create table app.contact_methods (
    id uuid primary key default gen_random_uuid(),
    person_id uuid references app.people on delete set null,
    kind text not null check (kind in ('email', 'phone', 'linkedin')),
    value text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create or replace trigger touch_updated_at before update on app.contact_methods
for each row execute function app.touch_updated_at();
