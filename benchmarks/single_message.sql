-- One message of a conversation; run by pgbench.
\set conversation random(1, 1000)
insert into app.messages (conversation_id, direction, sent_at)
values (lpad(:conversation::text, 32, '0')::uuid, 'inbound', now());
