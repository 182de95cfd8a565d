-- One more recipient, of the same client, in each of a hundred random conversations.
insert into app.message_recipients (message_id, contact_method_id, role)
select
    (select id from app.messages where conversation_id = conversation.id limit 1),
    (
        select contact.id
        from app.contact_methods as contact
        inner join app.people as person on upper(person.email) = contact.value
        where person.client_id = conversation.client_id
        order by random()
        limit 1
    ),
    'bcc'
from (select * from app.conversations order by random() limit 100) as conversation;
