-- Ten clients of five crews each; each client has 200 persons with an e-mail address, an address that is nobody's, and 1,000
-- conversations by e-mail with one message to one of the persons, a week ago.
-- in:  fifty crews
insert into app.clients (client_code, name)
select 'C' || number, 'client ' || number from generate_series(0, 9) as number;

update app.crews
set client_id = client.id
from app.clients as client
where client.client_code = 'C' || right(crews.crew_code, 1);

insert into app.people (client_id, name, email)
select client.id, number::text, client.client_code || '-' || number || '@example.com'
from app.clients as client, generate_series(0, 199) as number
where client.client_code <> 'C';

insert into app.contact_methods (kind, value)
select 'email', email from app.people
union all
select 'email', client_code || '-nobody@example.com' from app.clients;

insert into app.users (name) values ('user');

insert into app.conversations (channel, client_id, external_id, started_at)
select 'email', client.id, number::text, now() - interval '7 days'
from app.clients as client, generate_series(0, 999) as number
where client.client_code <> 'C';

insert into app.messages (conversation_id, direction, sent_at)
select id, 'inbound', started_at from app.conversations where channel = 'email';

insert into app.message_recipients (message_id, contact_method_id, role)
select message.id, contact.id, 'to'
from app.messages as message
inner join app.conversations as conversation on conversation.id = message.conversation_id
inner join app.clients as client on client.id = conversation.client_id
inner join app.contact_methods as contact
    on contact.value = client.client_code || '-' || conversation.external_id::int %% 200 || '@example.com';
