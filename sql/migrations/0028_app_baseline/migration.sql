-- The application's schema, as this project expects it: a reference for the embedded database, the tests and the demo.
-- In production the application owns `app`, and only `migrate up --only analytics` is run.

-- Sets updated_at at every update of a row of the application.
create function app.touch_updated_at() returns trigger
language plpgsql
as $$
begin
    new.updated_at := clock_timestamp();
    return new;
end
$$;

create table app.clients (
    id uuid primary key default gen_random_uuid(),
    client_code text not null unique,
    name text not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create trigger touch_updated_at before update on app.clients
for each row execute function app.touch_updated_at();

create table app.crews (
    id uuid primary key default gen_random_uuid(),
    client_id uuid not null references app.clients on delete cascade,
    crew_code text not null unique,
    name text not null,
    histories_table_name text not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create trigger touch_updated_at before update on app.crews
for each row execute function app.touch_updated_at();

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

create trigger touch_updated_at before update on app.people
for each row execute function app.touch_updated_at();

create table app.contact_methods (
    id uuid primary key default gen_random_uuid(),
    person_id uuid references app.people on delete set null,
    kind text not null check (kind in ('email', 'phone', 'linkedin')),
    value text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create trigger touch_updated_at before update on app.contact_methods
for each row execute function app.touch_updated_at();

create table app.users (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create trigger touch_updated_at before update on app.users
for each row execute function app.touch_updated_at();

create table app.projects (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references app.users on delete cascade,
    name text not null,
    conversation_ids uuid[] not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create trigger touch_updated_at before update on app.projects
for each row execute function app.touch_updated_at();

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

create trigger touch_updated_at before update on app.conversations
for each row execute function app.touch_updated_at();

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

create trigger touch_updated_at before update on app.messages
for each row execute function app.touch_updated_at();

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

create trigger touch_updated_at before update on app.message_recipients
for each row execute function app.touch_updated_at();
