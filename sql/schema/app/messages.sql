create table app.messages (
    id uuid primary key default gen_random_uuid(),
    conversation_id uuid not null references app.conversations on delete cascade,
    external_id text,
    direction text not null check (direction in ('inbound', 'outbound')),
    sent_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index messages_conversation_id on app.messages (conversation_id);

create or replace trigger touch_updated_at before update on app.messages
for each row execute function app.touch_updated_at();
