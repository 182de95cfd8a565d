\set n random(1, 1000)
begin;
with written as (
    insert into app.messages (conversation_id, direction, sent_at)
    select conversation_id, 'inbound', now() from public.others where n = :n
    returning id
)
insert into app.message_recipients (message_id, contact_method_id, role)
select written.id, others.contact_method_id, 'to' from written, public.others where n = :n;
commit;
