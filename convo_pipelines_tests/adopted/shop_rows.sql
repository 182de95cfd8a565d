-- Conversations of three channels and two bots, some of them by several people.
insert into shop.accounts (name) values ('one'), ('two');

insert into shop.bots (account_id, name) values (1, 'ida'), (2, 'otto');

insert into shop.inboxes (kind) values ('email'), ('whatsapp');

insert into shop.contacts (account_id, name, email, phone) values
(1, 'ana', 'ana@example.com', null), (2, 'ben', null, '+4915112345678'), (1, 'eve', 'eve@example.com', '+49151111111');

insert into shop.chats (account_id, inbox_id, topic, opened)
select 1 + n % 2, nullif(n % 3, 0), 'topic ' || n, '2026-03-10 09:00' from generate_series(1, 12) as n;

insert into shop.posts (chat_id, contact_id, kind, posted)
select 1 + n % 12, 1 + n % 3, n % 3, timestamp '2026-03-10 10:00' + n % 50 * interval '1 hour'
from generate_series(1, 120) as n;

insert into shop.chat_log (bot, session_id, role, content, created_at)
select
    (array['ida', 'otto'])[1 + n % 2], 's' || n % 7, (array['user', 'assistant'])[1 + n % 2], 'hello',
    timestamptz '2026-03-10 10:00+00' + n % 50 * interval '1 hour'
from generate_series(1, 60) as n;
