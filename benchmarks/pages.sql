-- Conversations of crews, and the rows that refreshes derive from them, written as they would be: only reads are measured.
-- in:  %(conversations)s: how many, of 50 clients with ten crews each; a hundredth as many projects; each tenth conversation is
--      one of a lead and a customer
set session_replication_role = replica;

insert into app.clients (client_code, name)
select 'C' || n, 'client ' || n from generate_series(0, 49) as n;

insert into app.crews (client_id, crew_code, name, histories_table_name)
select client.id, 'crew-' || n, 'crew ' || n, 'histories_' || n
from generate_series(0, 499) as n
inner join app.clients as client on client.client_code = 'C' || n %% 50;

insert into app.users (name) values ('user');

insert into app.projects (user_id, name)
select (select id from app.users), 'project ' || n
from generate_series(0, %(conversations)s / 100 - 1) as n;

insert into app.conversations (channel, client_id, crew_id, session_id, project_id, lead_id, customer_id, started_at, closed_at)
select
    (array['crew', 'email', 'whatsapp', 'chat'])[1 + least(3, abs(hashint4(n)) %% 20)],
    crew.client_id,
    crew.id,
    'session ' || n,
    project.id,
    case when n %% 10 = 0 then md5('lead' || n)::uuid end,
    case when n %% 10 = 0 then md5('customer' || n %% 1000)::uuid end,
    now() - make_interval(secs => n * 86400.0 * 365 / %(conversations)s),
    case when abs(hashint4(n + 1)) %% 20 > 0 then now() end
from generate_series(0, %(conversations)s - 1) as n
inner join app.crews as crew on crew.crew_code = 'crew-' || abs(hashint4(n + 2)) %% 500
left join app.projects as project on n %% 5 = 0 and project.name = 'project ' || n %% (%(conversations)s / 100);

insert into analytics.clients_conversations (
    client_id, conversation_id, channel, crew_id, project_id, started_at, closed_at
)
select client_id, id, channel, crew_id, project_id, started_at, closed_at from app.conversations;

insert into analytics.conversation_summaries (
    conversation_id, source, channel, client_id, crew_id, session_id, project_id, lead_id, customer_id, message_count,
    inbound_count, outbound_count, participant_count, started_at, ended_at, duration_seconds, closed_at
)
select
    id, 'histories', channel, client_id, crew_id, session_id, project_id, lead_id, customer_id, 10, 5, 5, 2,
    started_at, started_at + interval '5 minutes', 300, closed_at
from app.conversations;

insert into analytics.project_conversations (project_id, conversation_id, added_at, added_by_is)
select project_id, id, started_at, 'owner' from app.conversations
where project_id is not null;

insert into app.people (client_id, name)
select client.id, 'person ' || n
from generate_series(0, %(conversations)s / 10 - 1) as n
inner join app.clients as client on client.client_code = 'C' || n %% 50;

insert into analytics.people_conversations (person_id, conversation_id)
select person.id, conversation.id
from (select id, row_number() over (order by id) - 1 as number from app.conversations) as conversation
inner join (select id, row_number() over (order by id) - 1 as number from app.people) as person
    on person.number = conversation.number %% (%(conversations)s / 10);

reset session_replication_role;
