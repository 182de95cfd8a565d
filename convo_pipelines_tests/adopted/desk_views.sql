-- Chats of the shop beside tickets of the desk, whose channel, client, direction and presence other tables decide.
create or replace view app.clients as
select
    analytics.uuid_of(account.id) as id,
    'account-' || account.id as client_code,
    account.name,
    plan.is_active
from desk.plans as plan
inner join shop.accounts as account on account.status = plan.id
where plan.is_shown;

create or replace view app.people as
select
    analytics.uuid_of(contact.id) as id,
    analytics.uuid_of(contact.account_id) as client_id,
    contact.name,
    contact.email,
    contact.phone,
    null::text as linkedin_urn
from shop.contacts as contact
where contact.deleted_at is null and contact.list_id in (select list.id from desk.lists as list where list.is_shown);

create or replace view app.crews as
select
    analytics.uuid_of(id) as id,
    analytics.uuid_of(account_id) as client_id,
    'bot-' || id as crew_code,
    name,
    'log_' || name as histories_table_name,
    true as is_active,
    null::timestamptz as created_at
from shop.bots
where id < 0;

create or replace view app.conversations as
select
    analytics.uuid_of(chat.id) as id,
    coalesce(inbox.kind, 'chat') as channel,
    analytics.uuid_of(chat.account_id) as client_id,
    null::uuid as crew_id,
    null::text as session_id,
    null::uuid as project_id,
    null::uuid as lead_id,
    null::uuid as customer_id,
    chat.topic as subject,
    chat.opened at time zone 'UTC' as started_at,
    null::timestamptz as closed_at,
    chat.opened at time zone 'UTC' as created_at,
    chat.opened at time zone 'UTC' as updated_at
from shop.chats as chat
left join shop.inboxes as inbox on inbox.id = chat.inbox_id
where chat.deleted_at is null
union all
select
    analytics.uuid_of('ticket', ticket.id::text),
    coalesce(medium.name, 'linkedin'),
    analytics.uuid_of(desk.account_id),
    null::uuid,
    null::text,
    null::uuid,
    null::uuid,
    null::uuid,
    ticket.title,
    ticket.opened at time zone 'UTC',
    (
        select max(event.happened) from desk.events as event
        where event.ticket_id = ticket.id and event.kind = 'closed'
    ) at time zone 'UTC',
    ticket.opened at time zone 'UTC',
    ticket.opened at time zone 'UTC'
from desk.tickets as ticket
inner join desk.desks as desk on desk.id = ticket.desk_id
left join (desk.queues as queue inner join desk.media as medium on medium.id = queue.medium_id) on queue.id = ticket.queue_id
left join (
    select ticket_id, count(*) as reports from desk.spam
    group by ticket_id
) as spam on spam.ticket_id = ticket.id
where desk.is_open and ticket.title is distinct from 'hidden' and coalesce(spam.reports, 0) < 2
    and not exists (select from desk.spam as spam where spam.ticket_id = ticket.id and spam.reason = 'sure');

create or replace view app.messages as
select
    analytics.uuid_of(id) as id,
    analytics.uuid_of(chat_id) as conversation_id,
    case kind when 0 then 'inbound' else 'outbound' end as direction,
    posted at time zone 'UTC' as sent_at
from shop.posts
where kind in (0, 1)
union all
select
    analytics.uuid_of('note', note.id::text),
    analytics.uuid_of('ticket', note.ticket_id::text),
    case when author.is_staff then 'outbound' else 'inbound' end,
    note.written at time zone 'UTC'
from desk.notes as note, desk.authors as author
where author.id = note.author_id;

create or replace view app.message_recipients as
select
    analytics.uuid_of(id) as message_id,
    analytics.uuid_of('email', contact_id::text) as contact_method_id,
    'from' as role
from shop.posts
where kind in (0, 1) and contact_id is not null
union all
select
    analytics.uuid_of('note', reader.note_id::text),
    analytics.uuid_of('email', contact.id::text),
    'to'
from desk.readers as reader
inner join shop.contacts as contact on contact.id = reader.contact_id
where contact.email is not null;
