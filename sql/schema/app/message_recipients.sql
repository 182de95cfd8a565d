create table app.message_recipients (
    id uuid primary key default gen_random_uuid(),
    message_id uuid not null references app.messages on delete cascade,
    contact_method_id uuid not null references app.contact_methods on delete cascade,
    role text not null check (role in ('from', 'to', 'cc', 'bcc')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index message_recipients_message_id on app.message_recipients (message_id);
create index message_recipients_contact_method_id on app.message_recipients (contact_method_id);

create or replace trigger touch_updated_at before update on app.message_recipients
for each row execute function app.touch_updated_at();
