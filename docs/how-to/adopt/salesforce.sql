-- Salesforce, as Heroku Connect copies it, as the pipeline reads it: `convo-pipelines adopt install docs/how-to/adopt/salesforce.sql`.
-- Cases are the conversations, their e-mails the messages. Rows in the recycle bin are left out (isdeleted), as are those that
-- were inserted here and have not got their key from Salesforce yet (sfid).
--
-- After `adopt install` has created analytics.uuid_of, indexes on what rows are looked up by:
--
--   create index concurrently on salesforce.account (analytics.uuid_of('account', sfid));
--   create index concurrently on salesforce.contact (analytics.uuid_of('contact', sfid));
--   create index concurrently on salesforce.contact (analytics.uuid_of('account', accountid));
--   create index concurrently on salesforce.contact (analytics.uuid_of('email', sfid));
--   create index concurrently on salesforce.contact (analytics.uuid_of('phone', sfid));
--   create index concurrently on salesforce.contact (analytics.uuid_of('mobile', sfid));
--   create index concurrently on salesforce."case" (analytics.uuid_of('case', sfid));
--   create index concurrently on salesforce."case" ((createddate at time zone 'UTC'));
--   create index concurrently on salesforce.emailmessage (analytics.uuid_of('message', sfid));
--   create index concurrently on salesforce.emailmessage (analytics.uuid_of('case', parentid));
--   create index concurrently on salesforce.emailmessage ((messagedate at time zone 'UTC'));
--   create index concurrently on salesforce.emailmessagerelation (analytics.uuid_of('message', emailmessageid));
--   create index concurrently on salesforce.emailmessagerelation (analytics.uuid_of('email', relationid));

-- Heroku Connect compares keys by bytes; the pipeline compares texts as the database does.
create or replace view app.clients as
select
    analytics.uuid_of('account', sfid) as id,
    sfid::text collate "default" as client_code,
    coalesce(name, '')::text as name,
    true as is_active
from salesforce.account
where isdeleted is not true and sfid is not null;

-- Contacts without an account are private to their owner.
create or replace view app.people as
select
    analytics.uuid_of('contact', sfid) as id,
    analytics.uuid_of('account', accountid) as client_id,
    coalesce(name, '')::text as name,
    email::text as email,
    phone::text as phone,
    null::text as linkedin_urn
from salesforce.contact
where isdeleted is not true and sfid is not null and accountid is not null;

-- E-mails refer to contacts: each has a contact method for e-mail, even without an address now.
create or replace view app.contact_methods as
select
    analytics.uuid_of('email', sfid) as id,
    analytics.uuid_of('contact', sfid) as person_id,
    'email' as kind,
    coalesce(email, '')::text as value
from salesforce.contact
where isdeleted is not true and sfid is not null and accountid is not null
union all
select
    analytics.uuid_of('phone', sfid) as id,
    analytics.uuid_of('contact', sfid) as person_id,
    'phone' as kind,
    phone::text as value
from salesforce.contact
where isdeleted is not true and sfid is not null and accountid is not null and phone is not null
union all
select
    analytics.uuid_of('mobile', sfid) as id,
    analytics.uuid_of('contact', sfid) as person_id,
    'phone' as kind,
    mobilephone::text as value
from salesforce.contact
where isdeleted is not true and sfid is not null and accountid is not null and mobilephone is not null;

create or replace view app.conversations as
select
    analytics.uuid_of('case', sfid) as id,
    case origin when 'Chat' then 'chat' when 'WhatsApp' then 'whatsapp' else 'email' end as channel,
    analytics.uuid_of('account', accountid) as client_id,
    null::uuid as crew_id,
    null::text as session_id,
    null::uuid as project_id,
    null::uuid as lead_id,
    analytics.uuid_of('contact', contactid) as customer_id,
    subject::text as subject,
    createddate at time zone 'UTC' as started_at,
    closeddate at time zone 'UTC' as closed_at,
    createddate at time zone 'UTC' as created_at,
    lastmodifieddate at time zone 'UTC' as updated_at
from salesforce."case"
where isdeleted is not true and sfid is not null;

-- status: 0 new, 1 read, 2 replied, 3 sent, 4 forwarded, 5 draft.
create or replace view app.messages as
select
    analytics.uuid_of('message', sfid) as id,
    analytics.uuid_of('case', parentid) as conversation_id,
    case when incoming then 'inbound' else 'outbound' end as direction,
    messagedate at time zone 'UTC' as sent_at
from salesforce.emailmessage
where isdeleted is not true and sfid is not null and parentid is not null and status is distinct from '5';

-- Who is no contact, but a user or nobody that Salesforce knows, has no contact method; it counts as a participant.
create or replace view app.message_recipients as
select
    analytics.uuid_of('message', emailmessageid) as message_id,
    coalesce(analytics.uuid_of('email', relationid), analytics.uuid_of('address', lower(relationaddress))) as contact_method_id,
    case relationtype
        when 'FromAddress' then 'from' when 'ToAddress' then 'to' when 'CcAddress' then 'cc' when 'BccAddress' then 'bcc'
    end as role
from salesforce.emailmessagerelation
where isdeleted is not true
    and relationtype in ('FromAddress', 'ToAddress', 'CcAddress', 'BccAddress')
    and (relationid is not null or relationaddress is not null);
