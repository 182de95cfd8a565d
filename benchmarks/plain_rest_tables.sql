-- The further tables, with the same keys, indexes and foreign keys, for plain_rest.sql.
create table plain.conversation_days (like analytics.conversation_days including all);

create table plain.crew_activity_daily (like analytics.crew_activity_daily including all);

create table plain.client_activity_daily (like analytics.client_activity_daily including all);

create table plain.clients_conversations (
    like analytics.clients_conversations including all,
    foreign key (client_id) references app.clients on delete cascade,
    foreign key (conversation_id) references plain.conversations on delete cascade
);
