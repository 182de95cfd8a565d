create or replace function analytics.log_conversations() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op);
    conversations uuid[];
    crews uuid[];
    sessions text[];
begin
    begin
        if tg_op = 'TRUNCATE' then
            conversations := array[null]::uuid[];
        elsif tg_level = 'ROW' then
            if tg_op <> 'INSERT' then
                conversations := array[old.id]; crews := array[old.crew_id]; sessions := array[old.session_id];
            end if;
            if tg_op <> 'DELETE' then
                conversations := conversations || new.id; crews := crews || new.crew_id; sessions := sessions || new.session_id;
            end if;
        elsif tg_op = 'INSERT' then
            select array_agg(id), array_agg(crew_id), array_agg(session_id) into conversations, crews, sessions from new_rows;
        elsif tg_op = 'DELETE' then
            select array_agg(id), array_agg(crew_id), array_agg(session_id) into conversations, crews, sessions from old_rows;
        else
            select array_agg(id), array_agg(crew_id), array_agg(session_id) into conversations, crews, sessions from (
                select id, crew_id, session_id from old_rows union select id, crew_id, session_id from new_rows
            ) as changed;
        end if;
    exception when others then
        conversations := array[null]::uuid[];
        crews := null;
        sessions := null;
        operation := 'everything';
    end;
    if not (case
        when has_schema_privilege('analytics', 'usage') then has_table_privilege('analytics.conversation_changes', 'insert')
        else false
    end) then
        raise warning '% may not write analytics.conversation_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
    insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation, snapshot)
    select
        tg_argv[0],
        changed.id,
        changed.crew_id,
        changed.session_id,
        operation,
        case when tg_op = 'TRUNCATE' or tg_op <> 'INSERT' and changed.crew_id is not null then pg_current_snapshot() end
    from unnest(conversations, crews, sessions) as changed (id, crew_id, session_id);
    return null;
end
$$;

drop view analytics.projects_this_week;
create view analytics.projects_this_week as
select
    link.project_id,
    project.name::text as project_name,
    link.conversation_id,
    conversation.channel::text,
    conversation.subject::text,
    link.added_at,
    link.added_by,
    owner.name::text as added_by_name
from analytics.project_conversations as link
inner join app.projects as project on project.id = link.project_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join app.users as owner on owner.id = link.added_by
where link.added_at >= date_trunc('week', now() at time zone 'UTC') at time zone 'UTC';

comment on view analytics.projects_this_week is 'Conversations added to a project since Monday, 00:00 UTC.';
comment on column analytics.projects_this_week.project_id is 'The project.';
comment on column analytics.projects_this_week.project_name is 'The project''s name.';
comment on column analytics.projects_this_week.conversation_id is 'The conversation.';
comment on column analytics.projects_this_week.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.projects_this_week.subject is 'The subject, of an e-mail thread.';
comment on column analytics.projects_this_week.added_at is 'When it was added to the project.';
comment on column analytics.projects_this_week.added_by is 'The user the project belonged to at that time.';
comment on column analytics.projects_this_week.added_by_name is 'That user''s name.';

alter table analytics.project_conversations drop column added_by_is;
comment on column analytics.project_conversations.added_at is
'When the conversation was added to the project: the conversation''s created_at, or its updated_at if a tick saw '
'it join the project later.';
comment on column analytics.project_conversations.added_by is
'The user the project belonged to when the link was written; not necessarily the user who added it. Null if that '
'user was deleted.';

drop table curation.project_assignments;

drop view analytics.unknown_senders;

drop view analytics.unknown_sessions;

create view analytics.unknown_senders as
select
    resolution.contact_method_id,
    contact.kind::text,
    resolution.status,
    count(*) as messages
from analytics.participant_resolutions as resolution
inner join app.contact_methods as contact on contact.id = resolution.contact_method_id
inner join app.message_recipients as recipient
    on recipient.contact_method_id = resolution.contact_method_id and recipient.role = 'from'
where resolution.status <> 'resolved'
group by resolution.contact_method_id, contact.kind, resolution.status;

comment on view analytics.unknown_senders is
'Contact methods that send messages and are not resolved to one person, with the number of their messages.';
comment on column analytics.unknown_senders.contact_method_id is 'The contact method.';
comment on column analytics.unknown_senders.kind is 'email, phone or linkedin.';
comment on column analytics.unknown_senders.status is 'ambiguous, unmatched or invalid.';
comment on column analytics.unknown_senders.messages is 'Messages from it.';

create or replace function analytics.source_tables(only_name text default null) returns table (
    name text, is_histories boolean, log_function text, table_oid oid, members oid[],
    obstacle text, is_fed boolean, is_captured boolean, has_others boolean, identity text, columns text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive named as (
        select distinct
            crew.histories_table_name::text as name,
            true as is_histories,
            'log_sessions' as log_function,
            'app' as schema_name,
            array['session_id', 'message', 'created_at'] as reads
        from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        where crew.is_active and client.is_active and octet_length(crew.histories_table_name) <= 63
            and crew.histories_table_name not in (
            'clients', 'crews', 'people', 'contact_methods', 'conversations', 'messages', 'message_recipients', 'projects',
            'users', 'participant_decisions'
        )
        union all
        select wanted.name, false, wanted.log_function, wanted.schema_name, wanted.reads::text[]
        from (
            values
            ('clients', 'log_identifiers', 'app', '{id, client_code, name, is_active}'),
            ('crews', 'log_identifiers', 'app', '{id, client_id, crew_code, name, histories_table_name, is_active}'),
            ('people', 'log_identifiers', 'app', '{id, client_id, name, email, phone, linkedin_urn}'),
            ('contact_methods', 'log_identifiers', 'app', '{id, person_id, kind, value}'),
            (
                'conversations', 'log_conversations', 'app',
                '{id, channel, client_id, crew_id, session_id, project_id, lead_id, customer_id, subject, started_at, closed_at,
                created_at, updated_at}'
            ),
            ('messages', 'log_messages', 'app', '{id, conversation_id, direction, sent_at}'),
            ('message_recipients', 'log_recipients', 'app', '{message_id, contact_method_id, role}'),
            ('projects', 'log_projects', 'app', '{id, user_id, name, conversation_ids}'),
            ('users', 'log_identifiers', 'app', '{id, name}'),
            (
                'participant_decisions', 'log_identifiers', 'curation',
                '{id, contact_method_id, person_id, decision, revoked_at}'
            )
        ) as wanted (name, log_function, schema_name, reads)
    ),
    roots as (
        select named.*, to_regclass(format('%I.%I', named.schema_name, named.name))::oid as table_oid
        from named
        where only_name is null or named.name = only_name
    ),
    members (name, oid) as (
        select roots.name, roots.table_oid from roots
        where roots.table_oid is not null
        union
        select members.name, pg_inherits.inhrelid
        from members
        inner join pg_inherits on pg_inherits.inhparent = members.oid and not pg_inherits.inhdetachpending
    ),
    parents as (  -- of roots that are themselves partitions or children: rows reach them without naming them
        select inhrelid as oid, string_agg(inhparent::text, ',' order by inhparent) as of
        from pg_inherits
        where not inhdetachpending and inhrelid in (select members.oid from members)
        group by inhrelid
    ),
    capturing as (
        select
            trigger.tgrelid,
            array_agg(trigger.tgname::text) filter (where trigger.tgenabled = 'A') as names,
            array_agg(trigger.tgname::text) as all_names,
            string_agg(trigger.xmin::text, ',' order by trigger.tgname) as versions
        from pg_trigger as trigger
        where trigger.tgname like 'convo\_pipelines\_%' and trigger.tgrelid in (select members.oid from members)
        group by trigger.tgrelid
    ),
    files as (
        select
            members.name,
            class.oid,
            class.relkind,
            concat_ws(':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of) as identity,
            coalesce(capturing.names, array[]::text[]) as triggers,
            coalesce(capturing.all_names, array[]::text[]) as all_triggers,
            bool_or(fed.srrelid is not null or members.oid = roots.table_oid and parents.oid is not null)
            over (partition by members.name) as is_fed
        from members
        inner join roots on roots.name = members.name
        left join parents on parents.oid = members.oid
        inner join pg_class as class on class.oid = members.oid
        left join capturing on capturing.tgrelid = class.oid
        left join pg_subscription_rel as fed on fed.srrelid = class.oid
    ),
    wanting as (
        select
            files.*,
            array['convo_pipelines_truncate'] || case
                when not files.is_fed then array['convo_pipelines_insert', 'convo_pipelines_update', 'convo_pipelines_delete']
                when files.relkind <> 'r' then array[]::text[]
                when roots.is_histories then array['convo_pipelines_row', 'convo_pipelines_before']
                else array['convo_pipelines_row']
            end as wanted
        from files
        inner join roots on roots.name = files.name
    ),
    described as (
        select
            files.name,
            array_agg(files.oid order by files.oid) as members,
            case
                when bool_or(files.relkind in ('v', 'm')) then 'it is a view'
                when bool_or(files.relkind = 'f') then 'it is a foreign table, or has a foreign partition'
            end as obstacle,
            bool_or(files.is_fed) as is_fed,
            string_agg(files.identity, ' ' order by files.oid) as identity,
            bool_and(files.triggers @> files.wanted) as is_captured,
            bool_or(not files.all_triggers <@ files.wanted) as has_others
        from wanting as files
        group by files.name
    )
    select
        roots.name,
        roots.is_histories,
        roots.log_function,
        roots.table_oid,
        described.members,
        described.obstacle,
        coalesce(described.is_fed, false),
        coalesce(described.is_captured, false) and described.obstacle is null,
        coalesce(described.has_others, false),
        coalesce(described.identity, 'absent'),
        (
            select string_agg(
                format('%s:%s:%s', attribute.attname, attribute.attnum, attribute.atttypid), ' ' order by attribute.attname
            )
            from pg_attribute as attribute
            where attribute.attrelid = roots.table_oid and attribute.attname = any(roots.reads) and not attribute.attisdropped
        )
    from roots
    left join described on described.name = roots.name
$$;

create or replace view analytics.identifier_sources as
select
    'person' as source,
    person.id as source_id,
    given.kind,
    given.value,
    null::text as otherwise,
    person.id as person_id,
    person.client_id
from app.people as person
cross join lateral (
    values ('email', person.email::text), ('phone', person.phone::text), ('linkedin', person.linkedin_urn::text)
) as given (kind, value)
where given.value is not null
union all
select
    decision.decision,
    decision.id,
    contact.kind::text,
    contact.value::text,
    contact.id::text,
    person.id,
    person.client_id
from curation.participant_decisions as decision
inner join app.contact_methods as contact on contact.id = decision.contact_method_id
inner join app.people as person on person.id = decision.person_id
where decision.revoked_at is null
union all
select
    'contact_method',
    contact.id,
    contact.kind::text,
    contact.value::text,
    contact.id::text,
    person.id,
    person.client_id
from app.contact_methods as contact
left join app.people as person on person.id = contact.person_id
union all
select
    'conversation',
    id,
    'session',
    session_id::text,
    null,
    null,
    null
from app.conversations
where crew_id is not null and session_id ~* '@|^\s*urn:li:|linkedin\.com/|^\s*[+(0-9][-+0-9 ()./]{5,30}$';
comment on column analytics.identifiers.source is
'The kind of row it was read from: person, contact_method or conversation; link or never: a decision about a '
'contact method.';
comment on column analytics.identifiers.kind is
'email, phone, linkedin, or session: the session id of a crew''s conversation, which may be any of these.';

create or replace function curation.check_decision() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    may_name_others boolean := has_table_privilege(session_user, 'curation.participant_decisions', 'insert');
begin
    if tg_op = 'INSERT' then
        if not may_name_others then
            new.decided_by := session_user;
        end if;
        if not exists (select from app.contact_methods where id = new.contact_method_id) then
            raise exception 'there is no contact method %', new.contact_method_id using errcode = 'foreign_key_violation';
        elsif not exists (select from app.people where id = new.person_id) then
            raise exception 'there is no person %', new.person_id using errcode = 'foreign_key_violation';
        end if;
        perform pg_advisory_xact_lock(hashtextextended('participant_decisions', 0));  -- one decides after the other
        if new.decision = 'link' and exists (
            select from curation.participant_decisions as former
            inner join app.people as other on other.id = former.person_id
            inner join app.people as person on person.id = new.person_id and person.client_id = other.client_id
            where former.contact_method_id = new.contact_method_id and former.decision = 'link'
                and former.revoked_at is null and former.person_id <> new.person_id
        ) then
            raise exception 'contact method % is linked to another person of that client: revoke that first', new.contact_method_id
            using errcode = 'unique_violation';
        end if;
    elsif old.revoked_at is not null
        or (old.id, old.contact_method_id, old.person_id, old.decision, old.reason, old.decided_by, old.decided_at)
        is distinct from (new.id, new.contact_method_id, new.person_id, new.decision, new.reason, new.decided_by, new.decided_at)
    then
        raise exception 'a decision is not changed: revoke it (set revoked_at = now()), and insert another'
        using errcode = 'restrict_violation';
    elsif new.revoked_at is not null then
        new.revoked_by := case when may_name_others then coalesce(new.revoked_by, session_user) else session_user end;
    end if;
    return new;
end
$$;

-- A decision on an identifier becomes one on a contact method that has it.
alter table curation.participant_decisions drop constraint participant_decisions_is_about_one;

alter table curation.participant_decisions disable trigger check_decision;

update curation.participant_decisions as decision
set contact_method_id = contact.id
from (
    select
        named.identifier,
        min(named.source_id::text)::uuid as id
    from analytics.identifiers as named
    where named.source = 'contact_method'
    group by named.identifier
) as contact
where contact.identifier = decision.identifier and (
    decision.revoked_at is not null
    or not exists (
        select from curation.participant_decisions as other
        where other.contact_method_id = contact.id and other.person_id = decision.person_id and other.revoked_at is null
    )
);

do $$
declare
    left_over record;
begin
    select count(*) as times, min(identifier) as identifier into left_over
    from curation.participant_decisions
    where contact_method_id is null;
    if left_over.times > 0 then
        raise exception '% decisions name an identifier that no contact method has, such as %', left_over.times, left_over.identifier
        using hint = 'Save and delete them first: they would be lost.';
    end if;
end
$$;

alter table curation.participant_decisions enable trigger check_decision;

drop index curation.participant_decisions_identifier_in_force;

alter table curation.participant_decisions
alter column contact_method_id set not null,
drop column identifier;
comment on table curation.participant_decisions is
'Decisions that a contact method belongs to a person, or does not. A decision is revoked (set revoked_at), never '
'changed or deleted.';
comment on column curation.participant_decisions.contact_method_id is
'The contact method in app.contact_methods. The decision also applies to other contact methods with the same '
'identifier.';

update analytics.capture_state as state
set columns = source.columns
from analytics.source_tables() as source
where source.name = state.table_name and source.table_oid = state.table_oid;
