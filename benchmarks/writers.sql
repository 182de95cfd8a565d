-- One crew, and a thousand conversations that get messages.
insert into app.clients (client_code, name) values ('C', 'C');

insert into app.crews (client_id, crew_code, name, histories_table_name)
select id, 'crew', 'crew', 'histories' from app.clients;

insert into app.conversations (id, channel, client_id)
select lpad(n::text, 32, '0')::uuid, 'email', client.id
from generate_series(1, 1000) as n, app.clients as client;
