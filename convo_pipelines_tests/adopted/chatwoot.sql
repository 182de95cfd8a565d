-- Chatwoot: the tables that docs/how-to/adopt/chatwoot.sql reads, as db/schema.rb of version 2025_08_16_044639 creates them, without
-- the three indexes that need the extension pg_trgm or serve only its searches. These tables have no foreign keys.
create table public.accounts (
    id serial primary key,
    name varchar not null,
    created_at timestamp not null,
    updated_at timestamp not null,
    locale integer default 0,
    domain varchar(100),
    support_email varchar(100),
    feature_flags bigint default 0 not null,
    auto_resolve_duration integer,
    limits jsonb default '{}',
    custom_attributes jsonb default '{}',
    status integer default 0,
    internal_attributes jsonb default '{}' not null,
    settings jsonb default '{}'
);
create index index_accounts_on_status on public.accounts (status);

create table public.inboxes (
    id serial primary key,
    channel_id integer not null,
    account_id integer not null,
    name varchar not null,
    created_at timestamp not null,
    updated_at timestamp not null,
    channel_type varchar,
    enable_auto_assignment boolean default true,
    greeting_enabled boolean default false,
    greeting_message varchar,
    email_address varchar,
    working_hours_enabled boolean default false,
    out_of_office_message varchar,
    timezone varchar default 'UTC',
    enable_email_collect boolean default true,
    csat_survey_enabled boolean default false,
    allow_messages_after_resolved boolean default true,
    auto_assignment_config jsonb default '{}',
    lock_to_single_conversation boolean default false not null,
    portal_id bigint,
    sender_name_type integer default 0 not null,
    business_name varchar,
    csat_config jsonb default '{}' not null
);
create index index_inboxes_on_account_id on public.inboxes (account_id);
create index index_inboxes_on_channel_id_and_channel_type on public.inboxes (channel_id, channel_type);
create index index_inboxes_on_portal_id on public.inboxes (portal_id);

create table public.contacts (
    id serial primary key,
    name varchar default '',
    email varchar,
    phone_number varchar,
    account_id integer not null,
    created_at timestamp not null,
    updated_at timestamp not null,
    additional_attributes jsonb default '{}',
    identifier varchar,
    custom_attributes jsonb default '{}',
    last_activity_at timestamp,
    contact_type integer default 0,
    middle_name varchar default '',
    last_name varchar default '',
    location varchar default '',
    country_code varchar default '',
    blocked boolean default false not null
);
create index index_contacts_on_lower_email_account_id on public.contacts (lower(email::text), account_id);
create index index_contacts_on_account_id_and_contact_type on public.contacts (account_id, contact_type);
create index index_contacts_on_nonempty_fields on public.contacts (account_id, email, phone_number, identifier)
where (email::text <> ''::text) or (phone_number::text <> ''::text) or (identifier::text <> ''::text);
create index index_contacts_on_account_id_and_last_activity_at on public.contacts (account_id, last_activity_at desc nulls last);
create index index_contacts_on_account_id on public.contacts (account_id);
create index index_resolved_contact_account_id on public.contacts (account_id)
where (email::text <> ''::text) or (phone_number::text <> ''::text) or (identifier::text <> ''::text);
create index index_contacts_on_blocked on public.contacts (blocked);
create unique index uniq_email_per_account_contact on public.contacts (email, account_id);
create unique index uniq_identifier_per_account_contact on public.contacts (identifier, account_id);
create index index_contacts_on_phone_number_and_account_id on public.contacts (phone_number, account_id);

create table public.contact_inboxes (
    id bigserial primary key,
    contact_id bigint,
    inbox_id bigint,
    source_id varchar not null,
    created_at timestamp(6) not null,
    updated_at timestamp(6) not null,
    hmac_verified boolean default false,
    pubsub_token varchar
);
create index index_contact_inboxes_on_contact_id on public.contact_inboxes (contact_id);
create unique index index_contact_inboxes_on_inbox_id_and_source_id on public.contact_inboxes (inbox_id, source_id);
create index index_contact_inboxes_on_inbox_id on public.contact_inboxes (inbox_id);
create unique index index_contact_inboxes_on_pubsub_token on public.contact_inboxes (pubsub_token);
create index index_contact_inboxes_on_source_id on public.contact_inboxes (source_id);

create table public.conversations (
    id serial primary key,
    account_id integer not null,
    inbox_id integer not null,
    status integer default 0 not null,
    assignee_id integer,
    created_at timestamp not null,
    updated_at timestamp not null,
    contact_id bigint,
    display_id integer not null,
    contact_last_seen_at timestamp,
    agent_last_seen_at timestamp,
    additional_attributes jsonb default '{}',
    contact_inbox_id bigint,
    uuid uuid default gen_random_uuid() not null,
    identifier varchar,
    last_activity_at timestamp default current_timestamp not null,
    team_id bigint,
    campaign_id bigint,
    snoozed_until timestamp,
    custom_attributes jsonb default '{}',
    assignee_last_seen_at timestamp,
    first_reply_created_at timestamp,
    priority integer,
    sla_policy_id bigint,
    waiting_since timestamp(6),
    cached_label_list text
);
create unique index index_conversations_on_account_id_and_display_id on public.conversations (account_id, display_id);
create index index_conversations_on_id_and_account_id on public.conversations (account_id, id);
create index conv_acid_inbid_stat_asgnid_idx on public.conversations (account_id, inbox_id, status, assignee_id);
create index index_conversations_on_account_id on public.conversations (account_id);
create index index_conversations_on_assignee_id_and_account_id on public.conversations (assignee_id, account_id);
create index index_conversations_on_campaign_id on public.conversations (campaign_id);
create index index_conversations_on_contact_id on public.conversations (contact_id);
create index index_conversations_on_contact_inbox_id on public.conversations (contact_inbox_id);
create index index_conversations_on_first_reply_created_at on public.conversations (first_reply_created_at);
create index index_conversations_on_inbox_id on public.conversations (inbox_id);
create index index_conversations_on_priority on public.conversations (priority);
create index index_conversations_on_status_and_account_id on public.conversations (status, account_id);
create index index_conversations_on_status_and_priority on public.conversations (status, priority);
create index index_conversations_on_team_id on public.conversations (team_id);
create unique index index_conversations_on_uuid on public.conversations (uuid);
create index index_conversations_on_waiting_since on public.conversations (waiting_since);

create table public.messages (
    id serial primary key,
    content text,
    account_id integer not null,
    inbox_id integer not null,
    conversation_id integer not null,
    message_type integer not null,
    created_at timestamp not null,
    updated_at timestamp not null,
    private boolean default false not null,
    status integer default 0,
    source_id varchar,
    content_type integer default 0 not null,
    content_attributes json default '{}',
    sender_type varchar,
    sender_id bigint,
    external_source_ids jsonb default '{}',
    additional_attributes jsonb default '{}',
    processed_message_content text,
    sentiment jsonb default '{}'
);
create index idx_messages_account_content_created on public.messages (account_id, content_type, created_at);
create index index_messages_on_account_created_type on public.messages (account_id, created_at, message_type);
create index index_messages_on_account_id_and_inbox_id on public.messages (account_id, inbox_id);
create index index_messages_on_account_id on public.messages (account_id);
create index index_messages_on_conversation_account_type_created
on public.messages (conversation_id, account_id, message_type, created_at);
create index index_messages_on_conversation_id on public.messages (conversation_id);
create index index_messages_on_created_at on public.messages (created_at);
create index index_messages_on_inbox_id on public.messages (inbox_id);
create index index_messages_on_sender_type_and_sender_id on public.messages (sender_type, sender_id);
create index index_messages_on_source_id on public.messages (source_id);

-- Its triggers: each account numbers its conversations.
create function public.accounts_after_insert_row_tr() returns trigger
language plpgsql
as $$
begin
    execute format('create sequence IF NOT EXISTS conv_dpid_seq_%s', NEW.id);
    return null;
end
$$;
create trigger accounts_after_insert_row_tr after insert on public.accounts
for each row execute function public.accounts_after_insert_row_tr();

create function public.conversations_before_insert_row_tr() returns trigger
language plpgsql
as $$
begin
    NEW.display_id := nextval('conv_dpid_seq_' || NEW.account_id);
    return NEW;
end
$$;
create trigger conversations_before_insert_row_tr before insert on public.conversations
for each row execute function public.conversations_before_insert_row_tr();

-- n8n: the table of its Postgres Chat Memory.
create table public.n8n_chat_histories (
    id serial primary key,
    session_id varchar(255) not null,
    message jsonb not null
);
