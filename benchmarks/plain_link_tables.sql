-- Tables, keys and indexes as ours, for the plain statements and the batch loop to fill.
drop schema if exists plain cascade;

create schema plain;

create table plain.people_conversations (
    like analytics.people_conversations including all,
    foreign key (person_id) references app.people on delete cascade,
    foreign key (conversation_id) references app.conversations on delete cascade
);

create table plain.clients_conversations (
    like analytics.clients_conversations including all,
    foreign key (client_id) references app.clients on delete cascade,
    foreign key (conversation_id) references app.conversations on delete cascade
);

create table plain.participants as
select
    contact.id as contact_method_id,
    coalesce(contact.person_id, person.id) as person_id
from app.contact_methods as contact
inner join app.people as person on person.email = lower(contact.value);

analyze plain.participants;

create index on plain.participants (contact_method_id);

create index on plain.participants (person_id);
