-- Chatwoot, with a crew that n8n runs, as the pipeline reads it: `convo-pipelines adopt install docs/how-to/adopt/chatwoot.sql`.
--
-- Before it, as the owner of the tables. n8n does not say when a message was written; the index serves the days that are read:
--
--   alter table public.n8n_chat_histories add created_at timestamptz, alter created_at set default now();
--   create index concurrently on public.n8n_chat_histories (created_at);
--
-- After `adopt install` has created analytics.uuid_of, indexes on what rows are looked up by:
--
--   create index concurrently on public.accounts (analytics.uuid_of(id));
--   create index concurrently on public.contacts (analytics.uuid_of(id));
--   create index concurrently on public.contacts (analytics.uuid_of(account_id));
--   create index concurrently on public.contacts (analytics.uuid_of('contact', id::text));
--   create index concurrently on public.conversations (analytics.uuid_of(id));
--   create index concurrently on public.conversations ((created_at at time zone 'UTC'));
--   create index concurrently on public.conversations (analytics.uuid_of('contact', contact_id::text));
--   create index concurrently on public.messages (analytics.uuid_of(id));
--   create index concurrently on public.messages (analytics.uuid_of(conversation_id));
--   create index concurrently on public.messages ((created_at at time zone 'UTC'));
--   create index concurrently on public.messages (analytics.uuid_of('contact', sender_id::text));

-- status: 0 active, 1 suspended.
create or replace view app.clients as
select
    analytics.uuid_of(id) as id,
    'account-' || id::text as client_code,
    name::text as name,
    coalesce(status, 0) = 0 as is_active
from public.accounts;

-- One crew, of the account 1. Two crews that write one table are told apart by a column, say workflow: a row for each of them
-- here, and a view for each of them in place of app.n8n_chat_histories:
--
--   create or replace view app.support_histories as
--   select session_id, message, created_at from public.n8n_chat_histories where workflow = 'support';
--   create or replace view app.sales_histories as
--   select session_id, message, created_at from public.n8n_chat_histories where workflow = 'sales';
create or replace view app.crews as
select
    analytics.uuid_of('crew', 'support') as id,
    analytics.uuid_of(1) as client_id,
    'support' as crew_code,
    'Support' as name,
    'n8n_chat_histories' as histories_table_name,
    true as is_active,
    null::timestamptz as created_at;

create or replace view app.n8n_chat_histories as
select
    session_id,
    message,
    created_at
from public.n8n_chat_histories;

create or replace view app.people as
select
    analytics.uuid_of(id) as id,
    analytics.uuid_of(account_id) as client_id,
    coalesce(name, '')::text as name,
    nullif(email, '')::text as email,
    nullif(phone_number, '')::text as phone,
    null::text as linkedin_urn
from public.contacts;

-- A message names the contact that sent it, not the address: one contact method for each contact, so that a sender counts as one
-- participant. It has a person, whatever its value is, and visitors of a website may have none.
create or replace view app.contact_methods as
select
    analytics.uuid_of('contact', id::text) as id,
    analytics.uuid_of(id) as person_id,
    case when email <> '' or coalesce(phone_number, '') = '' then 'email' else 'phone' end as kind,
    coalesce(nullif(email, ''), phone_number, '')::text as value
from public.contacts;

-- The kind of channel is that of the inbox, a table that is joined. If the kind of an inbox changes, its conversations are read
-- again. When a conversation was resolved, nothing says.
create or replace view app.conversations as
select
    analytics.uuid_of(conversation.id) as id,
    case inbox.channel_type
        when 'Channel::Email' then 'email' when 'Channel::Whatsapp' then 'whatsapp' else 'chat'
    end as channel,
    analytics.uuid_of(conversation.account_id) as client_id,
    null::uuid as crew_id,
    null::text as session_id,
    null::uuid as project_id,
    null::uuid as lead_id,
    analytics.uuid_of(conversation.contact_id) as customer_id,
    conversation.additional_attributes ->> 'mail_subject' as subject,
    conversation.created_at at time zone 'UTC' as started_at,
    null::timestamptz as closed_at,
    conversation.created_at at time zone 'UTC' as created_at,
    conversation.updated_at at time zone 'UTC' as updated_at
from public.conversations as conversation
left join public.inboxes as inbox on inbox.id = conversation.inbox_id;

-- message_type: 0 incoming, 1 outgoing, 2 activity, 3 template. Private messages are notes of agents to each other.
create or replace view app.messages as
select
    analytics.uuid_of(id) as id,
    analytics.uuid_of(conversation_id) as conversation_id,
    case message_type when 0 then 'inbound' else 'outbound' end as direction,
    created_at at time zone 'UTC' as sent_at
from public.messages
where message_type in (0, 1) and not private;

-- A message of ours goes to the contact of its conversation, also if that never answers.
create or replace view app.message_recipients as
select
    analytics.uuid_of(id) as message_id,
    analytics.uuid_of('contact', sender_id::text) as contact_method_id,
    'from' as role
from public.messages
where sender_type = 'Contact' and sender_id is not null and message_type in (0, 1) and not private
union all
select
    analytics.uuid_of(message.id) as message_id,
    analytics.uuid_of('contact', conversation.contact_id::text) as contact_method_id,
    'to' as role
from public.messages as message
inner join public.conversations as conversation on conversation.id = message.conversation_id
where message.message_type = 1 and not message.private and conversation.contact_id is not null;
