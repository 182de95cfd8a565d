-- Decisions also name an identifier that no contact method has; the schema exists already if analytics is built again.
alter table curation.participant_decisions
alter column contact_method_id drop not null,
add column if not exists identifier text,
drop constraint if exists participant_decisions_identifier,
drop constraint if exists participant_decisions_is_about_one;
alter table curation.participant_decisions
add constraint participant_decisions_identifier check (
    identifier ~ '^[^@\s]+@[^@\s]+$|^\+[0-9]+(;ext=[0-9]+)?$|^urn:li:|^linkedin\.com/in/'
),
add constraint participant_decisions_is_about_one check (num_nonnulls(contact_method_id, identifier) = 1);
create unique index if not exists participant_decisions_identifier_in_force
on curation.participant_decisions (identifier, person_id)
where revoked_at is null;

comment on table curation.participant_decisions is
'Decisions that a contact method or identifier belongs to a person, or does not. A decision is revoked (set '
'revoked_at), never changed or deleted.';
comment on column curation.participant_decisions.contact_method_id is
'The contact method in app.contact_methods; null if the decision names an identifier. The decision also applies to '
'other contact methods and sessions with the same identifier.';
comment on column curation.participant_decisions.identifier is
'A canonical identifier, whether or not anybody has it: ana@example.com, +49301234567, urn:li:member:1, '
'linkedin.com/in/ana; null if the decision names a contact method. It applies to every contact method and session '
'with this identifier.';

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
        if new.identifier is null and not exists (select from app.contact_methods where id = new.contact_method_id) then
            raise exception 'there is no contact method %', new.contact_method_id using errcode = 'foreign_key_violation';
        elsif not exists (select from app.people where id = new.person_id) then
            raise exception 'there is no person %', new.person_id using errcode = 'foreign_key_violation';
        end if;
        perform pg_advisory_xact_lock(hashtextextended('participant_decisions', 0));  -- one decides after the other
        if new.decision = 'link' and exists (
            select from curation.participant_decisions as former
            inner join app.people as other on other.id = former.person_id
            inner join app.people as person on person.id = new.person_id and person.client_id = other.client_id
            where (former.contact_method_id = new.contact_method_id or former.identifier = new.identifier)
                and former.decision = 'link' and former.revoked_at is null and former.person_id <> new.person_id
        ) then
            raise exception '% is linked to another person of that client: revoke that first',
                coalesce(new.identifier, 'contact method ' || new.contact_method_id)
            using errcode = 'unique_violation';
        end if;
    elsif old.revoked_at is not null
        or (old.id, old.contact_method_id, old.identifier, old.person_id, old.decision, old.reason, old.decided_by, old.decided_at)
        is distinct from
        (new.id, new.contact_method_id, new.identifier, new.person_id, new.decision, new.reason, new.decided_by, new.decided_at)
    then
        raise exception 'a decision is not changed: revoke it (set revoked_at = now()), and insert another'
        using errcode = 'restrict_violation';
    elsif new.revoked_at is not null then
        new.revoked_by := case when may_name_others then coalesce(new.revoked_by, session_user) else session_user end;
    end if;
    return new;
end
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
    coalesce(contact.kind::text, 'session'),
    coalesce(contact.value::text, decision.identifier),
    contact.id::text,
    person.id,
    person.client_id
from curation.participant_decisions as decision
left join app.contact_methods as contact on contact.id = decision.contact_method_id
inner join app.people as person on person.id = decision.person_id
where decision.revoked_at is null and (contact.id is not null or decision.identifier is not null)
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
'contact method or an identifier.';
comment on column analytics.identifiers.kind is
'email, phone, linkedin, or session: the session id of a crew''s conversation, or the identifier of a decision, which '
'may be any of these.';

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
                '{id, contact_method_id, identifier, person_id, decision, revoked_at}'
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

-- Session ids that nobody has.
create view analytics.unknown_sessions as
with sessions as (
    select
        named.identifier,
        owner.client_id,
        count(*) as conversations,
        sum(coalesce(summary.inbound_count, 0))::bigint as messages
    from analytics.identifiers as named
    inner join analytics.conversation_owners as owner on owner.conversation_id = named.source_id
    left join analytics.conversation_summaries as summary on summary.conversation_id = named.source_id
    where named.source = 'conversation' and named.identifier is not null
    group by named.identifier, owner.client_id
)

select
    sessions.identifier,
    analytics.kind_of(sessions.identifier) as kind,
    sessions.client_id,
    case when holder.candidate_count > 1 then 'ambiguous' else 'unmatched' end as status,
    holder.candidate_count,
    sessions.conversations,
    sessions.messages
from sessions
cross join lateral analytics.holder_of(sessions.identifier, sessions.client_id) as holder
where holder.person_id is null;

comment on view analytics.unknown_sessions is
'Identifiers that are session ids of crews'' conversations and name no person, or several, of the conversation''s '
'client: one row per identifier and client.';
comment on column analytics.unknown_sessions.identifier is
'Canonical form: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana.';
comment on column analytics.unknown_sessions.kind is 'email, phone or linkedin.';
comment on column analytics.unknown_sessions.client_id is 'The client of the conversations; null if they have none.';
comment on column analytics.unknown_sessions.status is 'ambiguous: several persons have it; unmatched: none.';
comment on column analytics.unknown_sessions.candidate_count is 'Persons of the client who have it.';
comment on column analytics.unknown_sessions.conversations is 'Conversations with such a session id.';
comment on column analytics.unknown_sessions.messages is 'Messages from it in these conversations.';

create or replace view analytics.unknown_senders as
select
    resolution.contact_method_id,
    contact.kind::text,
    resolution.status,
    count(*) as messages,
    nullif(named.identifier, named.source_id::text) as identifier,
    null::uuid as client_id
from analytics.participant_resolutions as resolution
inner join app.contact_methods as contact on contact.id = resolution.contact_method_id
inner join app.message_recipients as recipient
    on recipient.contact_method_id = resolution.contact_method_id and recipient.role = 'from'
left join analytics.identifiers as named
    on named.source_id = resolution.contact_method_id and named.source = 'contact_method'
where resolution.status <> 'resolved'
group by resolution.contact_method_id, contact.kind, resolution.status, named.identifier, named.source_id
union all
select
    null,
    kind,
    status,
    messages,
    identifier,
    client_id
from analytics.unknown_sessions;
comment on view analytics.unknown_senders is
'Contact methods that send messages, and session ids of crews'' conversations, that are not resolved to one person, '
'with the number of their messages.';
comment on column analytics.unknown_senders.contact_method_id is 'The contact method; null for a session id.';
comment on column analytics.unknown_senders.identifier is
'Canonical form, which `convo-pipelines link` and `who` take; null if the status is invalid.';
comment on column analytics.unknown_senders.client_id is
'The client of the conversations with this session id; null for a contact method.';

-- When and by whom a conversation was added to its project.
create table if not exists curation.project_assignments (
    id bigint generated always as identity,
    conversation_id uuid not null,
    project_id uuid,
    changed_at timestamptz not null default now(),
    actor uuid
);
create index if not exists project_assignments_conversation_id on curation.project_assignments (conversation_id, id);
create index if not exists project_assignments_actor on curation.project_assignments (actor) where actor is not null;
alter table curation.project_assignments replica identity full;

comment on table curation.project_assignments is
'When and by whom each conversation was added to its project, recorded since app.conversations is captured. Rows that a '
'later one replaces are deleted with the change log.';
comment on column curation.project_assignments.id is 'In the order of a conversation''s changes.';
comment on column curation.project_assignments.conversation_id is 'The conversation in app.conversations.';
comment on column curation.project_assignments.project_id is
'The project that it was added to; null: it was removed from one, or deleted.';
comment on column curation.project_assignments.changed_at is 'When the transaction that did so began.';
comment on column curation.project_assignments.actor is
'The user that the application named: set_config(''convo.actor'', id, true) in that transaction; null if it named none, or '
'something that is no uuid.';

alter table analytics.project_conversations add column added_by_is text not null default 'owner'
constraint project_conversations_added_by_is_check check (added_by_is in ('actor', 'owner'));
alter table analytics.project_conversations alter column added_by_is drop default;

create or replace view analytics.projects_this_week as
select
    link.project_id,
    project.name::text as project_name,
    link.conversation_id,
    conversation.channel::text,
    conversation.subject::text,
    link.added_at,
    link.added_by,
    adder.name::text as added_by_name,
    link.added_by_is
from analytics.project_conversations as link
inner join app.projects as project on project.id = link.project_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join app.users as adder on adder.id = link.added_by
where link.added_at >= date_trunc('week', now() at time zone 'UTC') at time zone 'UTC';
comment on column analytics.project_conversations.added_at is
'When the conversation was added to the project, if app.conversations was captured then; else the conversation''s '
'created_at, or its updated_at if a tick saw it join the project later.';
comment on column analytics.project_conversations.added_by is
'The user who added it, or the project''s owner: see added_by_is. Null if that user was deleted.';
comment on column analytics.project_conversations.added_by_is is
'actor: added_by is the user that the application named when it added the conversation (convo.actor); owner: it named '
'none, and added_by is the user the project belonged to when the link was written.';
comment on column analytics.projects_this_week.added_by is 'The user who added it, or the project''s owner.';
comment on column analytics.projects_this_week.added_by_is is
'actor: the user who added it; owner: the user the project belonged to.';

create or replace function analytics.log_conversations() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op);
    conversations uuid[];
    crews uuid[];
    sessions text[];
    moved uuid[];
    projects uuid[];
    is_any_moved boolean;
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
            if old.project_id is distinct from new.project_id then
                moved := array[coalesce(new.id, old.id)]; projects := array[new.project_id];
            end if;
        elsif tg_op = 'INSERT' then
            select
                array_agg(id), array_agg(crew_id), array_agg(session_id),
                array_agg(id) filter (where project_id is not null), array_agg(project_id) filter (where project_id is not null)
            into conversations, crews, sessions, moved, projects
            from new_rows;
        elsif tg_op = 'DELETE' then
            select array_agg(id), array_agg(crew_id), array_agg(session_id), array_agg(id) filter (where project_id is not null)
            into conversations, crews, sessions, moved
            from old_rows;
        else
            select array_agg(id), array_agg(crew_id), array_agg(session_id), count(*) > (select count(*) from new_rows)
            into conversations, crews, sessions, is_any_moved
            from (
                select id, crew_id, session_id, project_id from old_rows
                union
                select id, crew_id, session_id, project_id from new_rows
            ) as changed;
            if is_any_moved then
                select array_agg(id), array_agg(project_id) into moved, projects from (
                    select id, project_id from new_rows except select id, project_id from old_rows
                ) as changed;
            end if;
        end if;
    exception when others then
        conversations := array[null]::uuid[];
        crews := null;
        sessions := null;
        moved := null;
        operation := 'everything';
    end;
    if moved is null then
        null;
    elsif has_schema_privilege(to_regnamespace('curation'), 'usage')
        and has_table_privilege(to_regclass('curation.project_assignments'), 'insert')
    then
        insert into curation.project_assignments (conversation_id, project_id, actor)
        select
            changed.id,
            changed.project_id,
            case when actor ~* '^[0-9a-f]{4}(-?[0-9a-f]{4}){7}$' then actor::uuid end
        from unnest(moved, projects) as changed (id, project_id)
        cross join current_setting('convo.actor', true) as actor;
    else
        raise warning '% may not write curation.project_assignments: when and by whom projects change is not kept', current_user;
    end if;
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

-- Known tables are not read again.
update analytics.capture_state as state
set columns = source.columns
from analytics.source_tables() as source
where source.name = state.table_name and source.table_oid = state.table_oid;
