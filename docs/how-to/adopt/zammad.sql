-- Zammad, as the pipeline reads it: `convo-pipelines adopt install docs/how-to/adopt/zammad.sql`. Tickets are the conversations, their
-- articles the messages. Organizations are the clients; users without one are left out.
--
-- After `adopt install` has created analytics.uuid_of, indexes on what rows are looked up by:
--
--   create index concurrently on public.organizations (analytics.uuid_of(id));
--   create index concurrently on public.users (analytics.uuid_of(id));
--   create index concurrently on public.users (analytics.uuid_of(organization_id));
--   create index concurrently on public.tickets (analytics.uuid_of(id));
--   create index concurrently on public.tickets ((created_at at time zone 'UTC'));
--   create index concurrently on public.ticket_articles (analytics.uuid_of(id));
--   create index concurrently on public.ticket_articles (analytics.uuid_of(ticket_id));
--   create index concurrently on public.ticket_articles ((created_at at time zone 'UTC'));

create or replace view app.clients as
select
    analytics.uuid_of(id) as id,
    'organization-' || id::text as client_code,
    name::text as name,
    active as is_active
from public.organizations;

create or replace view app.people as
select
    analytics.uuid_of(id) as id,
    analytics.uuid_of(organization_id) as client_id,
    btrim(coalesce(firstname, '') || ' ' || coalesce(lastname, ''))::text as name,
    nullif(email, '')::text as email,
    coalesce(nullif(mobile, ''), nullif(phone, ''))::text as phone,
    null::text as linkedin_urn
from public.users
where organization_id is not null;

create or replace view app.conversations as
select
    analytics.uuid_of(id) as id,
    'email' as channel,
    analytics.uuid_of(organization_id) as client_id,
    null::uuid as crew_id,
    null::text as session_id,
    null::uuid as project_id,
    null::uuid as lead_id,
    analytics.uuid_of(customer_id) as customer_id,
    title::text as subject,
    created_at at time zone 'UTC' as started_at,
    close_at at time zone 'UTC' as closed_at,
    created_at at time zone 'UTC' as created_at,
    updated_at at time zone 'UTC' as updated_at
from public.tickets;

-- sender_id: 1 Agent, 2 Customer, 3 System. Internal articles are notes.
create or replace view app.messages as
select
    analytics.uuid_of(id) as id,
    analytics.uuid_of(ticket_id) as conversation_id,
    case sender_id when 2 then 'inbound' else 'outbound' end as direction,
    created_at at time zone 'UTC' as sent_at
from public.ticket_articles
where sender_id in (1, 2) and not internal;

-- Recipients are texts such as `"Ana K" <ana@x.example>, ben@x.example`. Each address is a contact method. It has no person_id: that
-- would link people of other organizations who are in copy, which no_cross_client_links reports. An address names a person by
-- itself, within the organization of the ticket.
create or replace view app.contact_methods as
select distinct
    analytics.uuid_of('address', address.address) as id,
    null::uuid as person_id,
    'email' as kind,
    address.address as value
from public.ticket_articles as article
cross join lateral analytics.addresses_of(
    coalesce(article."from", '') || ',' || coalesce(article."to", '') || ',' || coalesce(article.cc, '')
) as address (address)
where article.sender_id in (1, 2) and not article.internal;

create or replace view app.message_recipients as
select
    analytics.uuid_of(article.id) as message_id,
    analytics.uuid_of('address', address.address) as contact_method_id,
    'from' as role
from public.ticket_articles as article
cross join lateral analytics.addresses_of(article."from") as address (address)
where article.sender_id in (1, 2) and not article.internal
union all
select
    analytics.uuid_of(article.id) as message_id,
    analytics.uuid_of('address', address.address) as contact_method_id,
    'to' as role
from public.ticket_articles as article
cross join lateral analytics.addresses_of(article."to") as address (address)
where article.sender_id in (1, 2) and not article.internal
union all
select
    analytics.uuid_of(article.id) as message_id,
    analytics.uuid_of('address', address.address) as contact_method_id,
    'cc' as role
from public.ticket_articles as article
cross join lateral analytics.addresses_of(article.cc) as address (address)
where article.sender_id in (1, 2) and not article.internal;
