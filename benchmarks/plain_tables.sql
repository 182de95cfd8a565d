-- The same three tables, with the same keys, indexes and foreign keys, for the plain statements.
create schema plain;
create table plain.histories_sessions (like analytics.histories_sessions including all);
alter table plain.histories_sessions add foreign key (crew_id) references app.crews on delete cascade;
create table plain.conversations (like app.conversations including all);
alter table plain.conversations add foreign key (client_id) references app.clients on delete cascade;
alter table plain.conversations add foreign key (crew_id) references app.crews on delete cascade;
alter table plain.conversations add foreign key (project_id) references app.projects on delete set null;
create table plain.conversation_summaries (like analytics.conversation_summaries including all);
alter table plain.conversation_summaries add foreign key (conversation_id) references plain.conversations on delete cascade;
create view plain.histories as
select crew.id as crew_id, crew.client_id, history.id, session_id, message, history.created_at
from (
    select 0 as crew, id, session_id, message, created_at from app.histories_0
    union all
    select 1 as crew, id, session_id, message, created_at from app.histories_1
    union all
    select 2 as crew, id, session_id, message, created_at from app.histories_2
    union all
    select 3 as crew, id, session_id, message, created_at from app.histories_3
    union all
    select 4 as crew, id, session_id, message, created_at from app.histories_4
    union all
    select 5 as crew, id, session_id, message, created_at from app.histories_5
    union all
    select 6 as crew, id, session_id, message, created_at from app.histories_6
    union all
    select 7 as crew, id, session_id, message, created_at from app.histories_7
    union all
    select 8 as crew, id, session_id, message, created_at from app.histories_8
    union all
    select 9 as crew, id, session_id, message, created_at from app.histories_9
) as history
inner join app.crews as crew on crew.crew_code = 'crew-' || history.crew;
