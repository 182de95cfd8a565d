-- A small company for the soak: 5 clients, 300 persons, 400 addresses of which 100 are nobody's, 20 projects, 1,000 e-mail
-- conversations. Its crews are made beside it.
insert into app.people (client_id, name, email)
select clients.id, 'person ' || number, 'person' || number || '@example.com'
from generate_series(1, 300) as number
inner join app.clients on clients.client_code = 'C' || (1 + number %% 5);

insert into app.contact_methods (kind, value)
select 'email', 'person' || number || '@example.com'
from generate_series(1, 400) as number;

insert into app.users (name) values ('user');

insert into app.projects (user_id, name)
select users.id, 'project ' || number
from app.users
cross join generate_series(1, 20) as number;

insert into app.conversations (channel, client_id, started_at)
select 'email', clients.id, now() - number * interval '20 minutes'
from generate_series(1, 1000) as number
inner join app.clients on clients.client_code = 'C' || (1 + number %% 5);
