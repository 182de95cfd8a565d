-- Of fifty clients, twelve with a crew and all that belonged to four of them; and what others go on writing to meanwhile.
-- in:  conversations.sql; %(sessions)s: conversations of each crew, whose histories tables are written beside it
update app.people as person
set client_id = big.id
from app.clients as small
inner join app.clients as big on big.client_code = 'C' || substr(small.client_code, 2)::int / 4 * 4
where person.client_id = small.id and small.id <> big.id;

update app.conversations as conversation
set client_id = big.id
from app.clients as small
inner join app.clients as big on big.client_code = 'C' || substr(small.client_code, 2)::int / 4 * 4
where conversation.client_id = small.id and small.id <> big.id;

insert into app.crews (client_id, crew_code, name, histories_table_name)
select id, client_code, client_code, 'histories_' || lower(client_code)
from app.clients
where id in (select client_id from app.conversations) and client_code <> 'C48';

insert into app.conversations (channel, client_id, crew_id, session_id, started_at)
select 'crew', client_id, id, 'session-1-' || n, now()
from app.crews, generate_series(1, %(sessions)s) as n;

create table public.others as
select
    row_number() over () as n,
    conversation.id as conversation_id,
    (
        select recipient.contact_method_id
        from app.messages as message
        inner join app.message_recipients as recipient on recipient.message_id = message.id
        where message.conversation_id = conversation.id
        limit 1
    ) as contact_method_id
from app.conversations as conversation
inner join app.clients as client on client.id = conversation.client_id and client.client_code = 'C48'
limit 1000;
create unique index on public.others (n);
