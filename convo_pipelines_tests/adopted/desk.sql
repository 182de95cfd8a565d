-- A help desk beside the shop: its tickets, their queues and media, and notes by authors. No foreign keys.
create schema desk;

create table desk.desks (id int primary key, account_id bigint, is_open boolean not null);

create table desk.media (id int primary key, name text not null, note text);

create table desk.queues (id int primary key, medium_id int, note text);

create table desk.tickets (id bigint primary key, desk_id int not null, queue_id int, title text, opened timestamp not null);

create table desk.authors (id int primary key, is_staff boolean not null);

create table desk.notes (id bigint primary key, ticket_id bigint not null, author_id int, written timestamp not null);

create table desk.plans (id int primary key, is_active boolean, is_shown boolean not null);

create table desk.lists (id int primary key, is_shown boolean not null);

create table desk.events (id bigint primary key, ticket_id bigint not null, kind text not null, happened timestamp not null);

create table desk.spam (ticket_id bigint, reason text);

create table desk.readers (note_id bigint, contact_id bigint);

insert into desk.desks select n, 1 + n % 2, n <> 3 from generate_series(1, 4) as n;

insert into desk.media select n, (array['email', 'whatsapp', 'chat'])[n] from generate_series(1, 3) as n;

insert into desk.queues select n, nullif(n % 4, 0) from generate_series(1, 6) as n;

insert into desk.tickets
select n, 1 + n % 4, nullif(n % 7, 0), 'ticket ' || n, '2026-03-10 09:00' from generate_series(1, 30) as n;

insert into desk.authors select n, n % 2 = 0 from generate_series(1, 4) as n;

insert into desk.notes
select n, 1 + n % 30, 1 + n % 4, timestamp '2026-03-10 10:00' + n % 50 * interval '1 hour' from generate_series(1, 90) as n;

insert into desk.readers select n, 1 + n % 3 from generate_series(1, 90) as n;

alter table shop.contacts add list_id int default 1;

insert into desk.plans select n, n = 0, true from generate_series(0, 2) as n;

insert into desk.lists select n, n <> 3 from generate_series(1, 3) as n;

insert into desk.events
select n, 1 + n % 30, case n % 2 when 0 then 'closed' else 'opened' end, timestamp '2026-03-20 10:00' + n * interval '1 hour'
from generate_series(1, 40) as n;
