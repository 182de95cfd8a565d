create or replace view app.clients as
select
    analytics.uuid_of(id) as id,
    'account-' || id as client_code,
    name,
    status = 0 as is_active
from shop.accounts;

create or replace view app.crews as
select
    analytics.uuid_of(id) as id,
    analytics.uuid_of(account_id) as client_id,
    'bot-' || id as crew_code,
    name,
    'log_' || name as histories_table_name,
    true as is_active,
    null::timestamptz as created_at
from shop.bots;

create or replace view app.people as
select
    analytics.uuid_of(id) as id,
    analytics.uuid_of(account_id) as client_id,
    name,
    email,
    phone,
    null::text as linkedin_urn
from shop.contacts
where deleted_at is null;

create or replace view app.contact_methods as
select
    analytics.uuid_of('email', id::text) as id,
    analytics.uuid_of(id) as person_id,
    'email' as kind,
    email as value
from shop.contacts
where email is not null and deleted_at is null
union all
select
    analytics.uuid_of('phone', id::text),
    analytics.uuid_of(id),
    'phone',
    phone
from shop.contacts
where phone is not null and deleted_at is null;

create or replace view app.conversations as
select
    analytics.uuid_of(chat.id) as id,
    coalesce(inbox.kind, case when chat.bot_id is null then 'chat' else 'crew' end) as channel,
    analytics.uuid_of(chat.account_id) as client_id,
    analytics.uuid_of(chat.bot_id) as crew_id,
    chat.session::text as session_id,
    null::uuid as project_id,
    null::uuid as lead_id,
    null::uuid as customer_id,
    chat.topic as subject,
    chat.opened at time zone 'UTC' as started_at,
    null::timestamptz as closed_at,
    chat.opened at time zone 'UTC' as created_at,
    chat.opened at time zone 'UTC' as updated_at
from shop.chats as chat
left join shop.inboxes as inbox on inbox.id = chat.inbox_id
where chat.deleted_at is null;

create or replace view app.messages as
select
    analytics.uuid_of(id) as id,
    analytics.uuid_of(chat_id) as conversation_id,
    case kind when 0 then 'inbound' else 'outbound' end as direction,
    posted at time zone 'UTC' as sent_at
from shop.posts
where kind in (0, 1);

create or replace view app.message_recipients as
select
    analytics.uuid_of(id) as message_id,
    analytics.uuid_of('email', contact_id::text) as contact_method_id,
    'from' as role
from shop.posts
where kind in (0, 1) and contact_id is not null
union all
select
    analytics.uuid_of(id),
    analytics.uuid_of('phone', contact_id::text),
    'from'
from shop.posts
where kind in (0, 1) and contact_id is not null;

create or replace view app.log_ida as
select
    session_id::text as session_id,
    jsonb_build_object('type', case role when 'user' then 'human' else 'ai' end, 'content', content) as message,
    created_at
from shop.chat_log
where bot = 'ida';

create or replace view app.log_otto as
select
    session_id::text as session_id,
    jsonb_build_object('type', case role when 'user' then 'human' else 'ai' end, 'content', content) as message,
    created_at
from shop.chat_log
where bot = 'otto';
