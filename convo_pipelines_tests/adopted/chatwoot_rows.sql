insert into public.accounts (name, created_at, updated_at)
select 'Account ' || n, '2026-03-01', '2026-03-01' from generate_series(1, 3) as n;

insert into public.inboxes (channel_id, account_id, name, created_at, updated_at, channel_type)
select n, n, 'Website', '2026-03-01', '2026-03-01', 'Channel::WebWidget' from generate_series(1, 3) as n;

insert into public.contacts (name, email, phone_number, account_id, created_at, updated_at)
select
    'Contact ' || n,
    case when n % 3 > 0 then 'c' || n % 20 || '@example.com' when n = 3 then '' end,
    case when n % 4 > 0 then '+49151123456' || lpad((n % 15)::text, 2, '0') end,
    1 + n % 3, '2026-03-02', '2026-03-02'
from generate_series(1, 40) as n;

insert into public.contact_inboxes (contact_id, inbox_id, source_id, created_at, updated_at)
select id, account_id, 'source-' || id, created_at, updated_at from public.contacts;

insert into public.conversations
(account_id, inbox_id, contact_id, additional_attributes, created_at, updated_at)
select
    account_id, account_id, id,
    case when id % 2 = 0 then jsonb_build_object('mail_subject', 'Order ' || id) else '{}' end,
    created_at + id * interval '5 hours', updated_at
from public.contacts cross join generate_series(1, 2) as n
order by n, id;

insert into public.messages
(account_id, inbox_id, conversation_id, message_type, private, sender_type, sender_id, created_at, updated_at)
select
    account_id, inbox_id, id, n % 4, n % 7 = 0,
    case n % 4 when 0 then 'Contact' when 1 then 'User' end,
    case n % 4 when 0 then contact_id when 1 then 1 end,
    created_at + n * interval '3 hours', updated_at
from public.conversations cross join generate_series(1, 6) as n
order by n, id;

insert into public.n8n_chat_histories (session_id, message, created_at)
select
    'session-' || n % 12,
    jsonb_build_object('type', case n % 3 when 0 then 'human' when 1 then 'ai' else 'tool' end, 'content', '…'),
    timestamptz '2026-03-08Z' + n * interval '47 minutes'
from generate_series(1, 120) as n;
