-- What the application's writers do, one statement at a time. %(key)s and %(other)s are keys of rows, %(digit)s is below 10, and
-- nobody had %(new)s before. A writer touches only rows of its {own} keys; {some} are a tenth of them, {one} is one or two.

insert into public.messages
(account_id, inbox_id, conversation_id, message_type, private, sender_type, sender_id, created_at, updated_at)
select
    account_id, inbox_id, id, %(digit)s %% 4, %(flag)s,
    case %(digit)s %% 4 when 0 then 'Contact' when 1 then 'User' end, contact_id, %(when)s, %(when)s
from public.conversations where id %% 40 = %(key)s;

insert into public.messages
(account_id, inbox_id, conversation_id, message_type, sender_type, sender_id, created_at, updated_at)
select account_id, inbox_id, id, n %% 2, 'Contact', contact_id, created_at + n * interval '1 day', updated_at
from public.conversations cross join generate_series(1, 4) as n where id %% 10 = %(digit)s;

update public.messages set private = not private where {some};

update public.messages set message_type = (message_type + 1) %% 4 where {some};

update public.messages set conversation_id = %(other)s
where conversation_id = %(key)s and {own};

update public.messages set created_at = %(when)s where {one};

update public.messages set sender_id = %(other)s where {one};

update public.messages set sender_type = case when %(flag)s then 'Contact' else 'AgentBot' end where {one};

update public.messages set id = nextval('public.messages_id_seq'::regclass) where {one};

update public.messages set content = 'read' where {some};

delete from public.messages where {one};

update public.conversations set account_id = 1 + %(digit)s %% 3, display_id = 1000000 + id where {one};

update public.conversations set contact_id = %(other)s where {one};

update public.conversations set contact_id = null where {one};

update public.conversations set created_at = %(when)s where {one};

update public.conversations set id = nextval('public.conversations_id_seq'::regclass) where {one};

update public.conversations set additional_attributes = jsonb_build_object('mail_subject', %(new)s::text) where {some};

insert into public.conversations (account_id, inbox_id, contact_id, created_at, updated_at)
select account_id, account_id, id, %(when)s, %(when)s from public.contacts where id %% 40 = %(key)s;

delete from public.conversations where {one};

with gone as (
    delete from public.conversations where {one} returning id
)
delete from public.messages where conversation_id in (select id from gone) and {own};

insert into public.contacts (name, email, phone_number, account_id, created_at, updated_at)
values (%(new)s, %(email)s, %(phone)s, 1 + %(digit)s %% 3, %(when)s, %(when)s);

update public.contacts set email = %(email)s where {one};

update public.contacts set email = null where {one};

update public.contacts set phone_number = %(phone)s where {some};

update public.contacts set phone_number = '' where {one};

update public.contacts set account_id = 1 + %(digit)s %% 3, email = %(email)s where {one};

update public.contacts set id = nextval('public.contacts_id_seq'::regclass) where {one};

delete from public.contacts where {one};

with talks as (
    update public.conversations set contact_id = %(key)s where contact_id = %(other)s and {own}
), sent as (
    update public.messages set sender_id = %(key)s
    where sender_type = 'Contact' and sender_id = %(other)s and {own}
)
delete from public.contacts where id = %(other)s and id <> %(key)s and {own};

insert into public.accounts (name, created_at, updated_at) values (%(new)s, %(when)s, %(when)s);

update public.accounts set status = case when %(flag)s then 1 - coalesce(status, 0) end
where id = 1 + %(digit)s %% 3 and {own};

update public.accounts set name = %(new)s where id = 1 + %(digit)s %% 3 and {own};

delete from public.accounts where id = 2 + %(digit)s %% 5 and {own};

insert into public.n8n_chat_histories (session_id, message, created_at)
select 'session-' || %(key)s, jsonb_build_object('type', 'human'), %(when)s from generate_series(0, %(digit)s);

update public.n8n_chat_histories set session_id = 'session-' || %(key)s where {one};

update public.n8n_chat_histories set message = jsonb_build_object('type', 'ai'), created_at = %(when)s where {one};

delete from public.n8n_chat_histories where {some};

update public.inboxes set
    channel_type = case channel_type when 'Channel::Email' then 'Channel::Whatsapp' else 'Channel::Email' end,
    updated_at = '2026-03-11'
where {some}
