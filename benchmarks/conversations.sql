-- Conversations of six messages, each to the same three contact methods of people of one client.
-- in:  %(conversations)s; a tenth as many people, of fifty clients; a hundredth as many projects
insert into app.clients (client_code, name)
select 'C' || n, 'client ' || n from generate_series(0, 49) as n;

insert into app.users (name) values ('user');

insert into app.people (client_id, name, email)
select client.id, 'person ' || n, 'person' || n || '@example.com'
from generate_series(0, %(conversations)s / 10 - 1) as n
inner join app.clients as client on client.client_code = 'C' || n %% 50;

insert into app.contact_methods (person_id, kind, value)
select case when substr(name, 8)::int %% 4 > 0 then id end, 'email', upper(email)
from app.people;

insert into app.projects (user_id, name)
select (select id from app.users), 'project ' || n
from generate_series(0, %(conversations)s / 100 - 1) as n;

insert into app.conversations (channel, client_id, external_id, project_id, started_at)
select
    'email',
    client.id,
    n::text,
    project.id,
    now() - make_interval(secs => n * 86400.0 * 365 / %(conversations)s)
from generate_series(0, %(conversations)s - 1) as n
inner join app.clients as client on client.client_code = 'C' || n %% 50
left join app.projects as project on n %% 5 = 0 and project.name = 'project ' || n %% (%(conversations)s / 100);

insert into app.messages (conversation_id, direction, sent_at)
select id, case number %% 2 when 0 then 'inbound' else 'outbound' end, started_at + number * interval '1 hour'
from app.conversations, generate_series(0, 5) as number;

insert into app.message_recipients (message_id, contact_method_id, role)
select message.id, contact.id, (array['from', 'to', 'cc'])[place + 1]
from app.conversations as conversation
inner join app.messages as message on message.conversation_id = conversation.id
cross join generate_series(0, 2) as place
inner join app.contact_methods as contact
    on contact.value = 'PERSON' || (
        (hashint4(conversation.external_id::int * 3 + place) & 1048575) %% (%(conversations)s / 500) * 50
        + conversation.external_id::int %% 50
    ) || '@EXAMPLE.COM';
