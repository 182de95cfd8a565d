-- name: new
-- Questions that are answered, persons who take over from crews, calls of tools.
with conversation as (
    insert into app.conversations (client_id, channel, started_at)
    select client.id, 'email', now()
    from app.clients as client
    cross join generate_series(1, 20)
    returning id, started_at
)

insert into app.messages (conversation_id, direction, sent_at)
select conversation.id, message.direction, conversation.started_at + message.after
from conversation
cross join (values ('inbound', interval '0'), ('outbound', interval '1 second')) as message (direction, after);

insert into app.messages (conversation_id, direction, sent_at)
select id, 'outbound', now() from app.conversations
where crew_id is not null and hashtext(id::text) % 100 = 1;

insert into app.tool_messages (crew_id, message_id, session_id, tool, called_at)
select id, (extract(epoch from now()) * 1000000)::bigint + number, 'new-' || number, 'search', now()
from app.crews
cross join generate_series(1, 10) as number;


-- name: imported
-- Written now, but a month old.
insert into app.messages (conversation_id, direction, sent_at)
select id, 'outbound', started_at + interval '30 seconds' from app.conversations
where started_at < now() - interval '30 days' and hashtext(id::text) % 100 = 2;

insert into app.tool_messages (crew_id, message_id, session_id, tool, called_at)
select id, (extract(epoch from now()) * 1000000)::bigint + number, 'old-' || number, 'search', now() - interval '30 days'
from app.crews
cross join generate_series(1, 10) as number;


-- name: changed
-- Times of rows that are a month old.
update app.messages set sent_at = sent_at + interval '1 hour'
where sent_at < now() - interval '30 days' and hashtext(id::text) % 500 = 3;

update app.tool_messages set called_at = called_at + interval '1 second'
where called_at < now() - interval '30 days' and hashtext(message_id::text) % 50 = 3;


-- name: moved
-- To another conversation, and to another tool.
update app.messages as message set conversation_id = neighbour.next_id
from (select id, lead(id) over (order by id) as next_id from app.conversations where crew_id is null) as neighbour
where neighbour.id = message.conversation_id and next_id is not null and hashtext(message.id::text) % 500 = 4;

update app.tool_messages set tool = 'translate'
where hashtext(message_id::text) % 50 = 4;


-- name: deleted
delete from app.messages where hashtext(id::text) % 500 = 5;

delete from app.conversations where hashtext(id::text) % 500 = 5;

delete from app.tool_messages where hashtext(message_id::text) % 50 = 5;


-- name: closed
update app.conversations set closed_at = now()
where closed_at is null and hashtext(id::text) % 50 = 6;


-- name: looked up
-- The target of a client, the client of a crew, and that of some persons.
update app.reply_targets set minutes = minutes / 4
where client_id = (select min(client_id::text)::uuid from app.reply_targets);

update app.crews set client_id = (select max(client_id::text)::uuid from app.reply_targets)
where id = (select min(id::text)::uuid from app.crews);

update app.people set client_id = (select max(client_id::text)::uuid from app.reply_targets)
where hashtext(id::text) % 100 = 7;
