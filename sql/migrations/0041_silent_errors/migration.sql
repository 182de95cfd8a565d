-- What was silently wrong is named or right: archive by partition, rights, times, crews that share a table.
alter table analytics.crew_discovery_state add column pruned_at timestamptz;
drop index analytics.session_changes_deletions;
create index session_changes_deletions on analytics.session_changes (table_oid, xid)
where operation in ('delete', 'move', 'truncate');

alter table analytics.refresh_state
add column last_error text,
add column failing_since timestamptz;

create table analytics.unjudged_moves (
    crew_id uuid not null,
    session_id text not null,
    activity_date date not null,
    primary key (crew_id, session_id, activity_date)
);

-- The functions and operators that views call, and that these call, as far as PostgreSQL knows; and whatever has a name, or a
-- symbol, that stands in the text of such a function.
create or replace function analytics.called_by(views oid[]) returns table (kind oid, oid oid)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive called (kind, oid) as (
        select 'pg_rewrite'::regclass::oid, rule.oid from pg_rewrite as rule
        where rule.ev_class = any(views)
        union
        select found.kind, found.oid
        from called
        cross join lateral (
            select depend.refclassid, depend.refobjid from pg_depend as depend
            where depend.classid = called.kind and depend.objid = called.oid
                and depend.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
            union all
            select named.kind, named.oid
            from pg_proc as function
            inner join pg_language as language on language.oid = function.prolang and language.lanname not in ('internal', 'c')
            cross join lateral (
                select
                    lower(function.prosrc) as source,
                    regexp_split_to_array(lower(function.prosrc), concat('[^a-z0-9_$', chr(128), '-', chr(1114111), ']+')) as words,
                    regexp_split_to_array(function.prosrc, '[^-+*/<>=~!@#%^&|`?]+') as symbols
            ) as text
            cross join lateral (
                select 'pg_proc'::regclass::oid as kind, other.oid from pg_proc as other
                where other.oid >= 16384 and other.pronamespace <> to_regnamespace('analytics') and (
                    lower(other.proname) = any(text.words)
                    or other.proname ~ '[^a-zA-Z0-9_$]' and strpos(text.source, lower(other.proname)) > 0
                )
                union all
                select 'pg_operator'::regclass, operator.oid from pg_operator as operator
                where operator.oid >= 16384 and operator.oprname = any(text.symbols)
            ) as named
            where called.kind = 'pg_proc'::regclass and function.oid = called.oid and function.prosqlbody is null
                and function.pronamespace <> to_regnamespace('analytics')
        ) as found (kind, oid)
    )
    select called.kind, called.oid from called
    where called.kind <> 'pg_rewrite'::regclass
$$;

-- A hash of the definitions of views, and of the functions that they call, directly or not.
create or replace function analytics.definitions_of(views oid[]) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select md5(string_agg(definition, ' ' order by object)) from (
        select view as object, pg_get_viewdef(view) as definition from unnest(views) as view
        union
        select
            function.oid,
            concat(
                function.provolatile, function.prosrc, function.prosqlbody::text, function.probin, function.proconfig::text,
                case when function.proisstrict and function.pronamespace <> to_regnamespace('analytics') then 'strict' end
            )
        from analytics.called_by(views) as called
        inner join pg_proc as function on function.oid = called.oid and called.kind = 'pg_proc'::regclass
    ) as definitions
$$;

comment on column analytics.session_changes.operation is
'insert, update or delete; move: an update gave rows of it another session or day; everything: read the whole table '
'again; truncate: the same, and rows were deleted; unusable: rows without a session id or a time, which are left out.';

comment on column analytics.clients_conversations.started_at is
'When the conversation started; null if that is not within the years 1 to 9999.';

comment on column analytics.clients_conversations.closed_at is
'When the conversation was closed; null while it is open, or if that is not within the years 1 to 9999.';

comment on column analytics.crew_discovery_state.pruned_at is
'When its table, or a partition of it, was truncated or left it, if no run has read the whole table since: the run '
'that does sees whose rows are gone.';

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
    case when contact.id is null then 'session' when named.is_known then contact.kind::text else 'email' end,
    case when contact.id is null then decision.identifier when named.is_known then contact.value::text else '' end,
    contact.id::text,
    person.id,
    person.client_id
from curation.participant_decisions as decision
left join app.contact_methods as contact on contact.id = decision.contact_method_id
cross join lateral (
    select coalesce(contact.kind::text in ('email', 'phone', 'linkedin') and contact.value is not null, false) as is_known
) as named
inner join app.people as person on person.id = decision.person_id
where decision.revoked_at is null and (contact.id is not null or decision.identifier is not null)
union all
select
    'contact_method',
    contact.id,
    case when named.is_known then contact.kind::text else 'email' end,  -- an empty address is invalid
    case when named.is_known then contact.value::text else '' end,
    contact.id::text,
    person.id,
    person.client_id
from app.contact_methods as contact
left join app.people as person on person.id = contact.person_id
cross join lateral (
    select coalesce(contact.kind::text in ('email', 'phone', 'linkedin') and contact.value is not null, false) as is_known
) as named
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
where crew_id is not null and session_id ~* (
    '@|urn:li:|linkedin\.com/'
    || U&'|^[^[:alnum:]+(]*((tel|sms|whatsapp):)?(\\+|[(0-9]{3})[-+0-9 ()./:;=ext\00A0\2007\202F]{3,45}[^[:alnum:]]*$'
);

create or replace view analytics.lead_open_conversations as
select
    conversation.lead_id,
    conversation.id as conversation_id,
    conversation.channel::text,
    owner.client_id,
    conversation.crew_id,
    conversation.project_id,
    case when analytics.is_usable_time(conversation.started_at) then conversation.started_at::timestamptz end as started_at,
    summary.ended_at,
    coalesce(summary.message_count, 0) as message_count,
    coalesce(summary.inbound_count, 0) as inbound_count,
    coalesce(summary.outbound_count, 0) as outbound_count,
    summary.first_response_seconds
from app.conversations as conversation
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
left join analytics.conversation_summaries as summary on summary.conversation_id = conversation.id
where conversation.lead_id is not null and conversation.closed_at is null;

create or replace view analytics.customer_conversations as
select
    conversation.customer_id,
    conversation.id as conversation_id,
    conversation.channel::text,
    owner.client_id,
    conversation.crew_id,
    conversation.project_id,
    coalesce(
        summary.started_at,
        case when analytics.is_usable_time(conversation.started_at) then conversation.started_at::timestamptz end
    ) as started_at,
    summary.ended_at,
    case when analytics.is_usable_time(conversation.closed_at) then conversation.closed_at::timestamptz end as closed_at,
    coalesce(summary.message_count, 0) as message_count,
    coalesce(summary.inbound_count, 0) as inbound_count,
    coalesce(summary.outbound_count, 0) as outbound_count,
    summary.first_response_seconds
from app.conversations as conversation
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
left join analytics.conversation_summaries as summary on summary.conversation_id = conversation.id
where conversation.customer_id is not null;

-- The triggers that write the change logs. A trigger reads no other table. It collects keys inside an exception block without
-- writing, so that no statement of the application fails or uses another transaction id, and logs "everything of this table"
-- where it could not. If the log cannot be written, the statement succeeds all the same, and the transaction leaves a mark
-- that needs no privilege, by which the next look learns to read everything: an empty large object with one of the last oids.

-- Most statements change one row (is_single), without moving it to another key. That key travels in variables, which is twice as
-- fast as arrays. "limit 1" keeps the plan cheap in a session whose first statement changed millions of rows.

-- A row that an update moves to another partition fires BEFORE UPDATE, then BEFORE DELETE where it was, and AFTER INSERT where it
-- goes. So a row trigger learns of deletions before them: that of the row which was last to be updated is an update.
create or replace function analytics.log_sessions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op collate "C");
    may_write boolean;
    is_single boolean;
    only_session text;
    only_day date;
    sessions text[];
    days date[];
    operations text[];  -- of an update's keys
begin
    if tg_when = 'BEFORE' then
        if tg_op = 'UPDATE' then
            perform set_config('convo_pipelines.updated', concat(old.tableoid, old.ctid), true);
            return new;
        elsif current_setting('convo_pipelines.updated', true) = concat(old.tableoid, old.ctid) then
            operation := 'update';
        end if;
    end if;
    begin
        may_write := has_table_privilege('analytics.session_changes', 'insert');  -- fails without the right to use the schema
        if tg_level = 'ROW' then
            if tg_op <> 'INSERT' then
                sessions := array[old.session_id::text];
                days := array[(old.created_at at time zone 'UTC')::date];
            end if;
            if tg_op <> 'DELETE' then
                sessions := sessions || new.session_id::text;
                days := days || (new.created_at at time zone 'UTC')::date;
            end if;
            if operation = 'update' and (sessions[1] collate "C", days[1]) is distinct from (sessions[2], days[2]) then
                operations := array['move'];  -- of the first key
            end if;
        elsif tg_op = 'INSERT' then
            select session_id::text, (created_at at time zone 'UTC')::date, not exists (select from new_rows offset 1)
            into only_session, only_day, is_single
            from new_rows limit 1;
            if not is_single then
                select array_agg(session_id), array_agg(day) into sessions, days from (
                    select distinct session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day
                    from new_rows
                ) as changed;
            end if;
        elsif tg_op = 'DELETE' then
            select session_id::text, (created_at at time zone 'UTC')::date, not exists (select from old_rows offset 1)
            into only_session, only_day, is_single
            from old_rows limit 1;
            if not is_single then
                select array_agg(session_id), array_agg(day) into sessions, days from (
                    select distinct session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day
                    from old_rows
                ) as changed;
            end if;
        elsif tg_op = 'UPDATE' then
            select
                new_rows.session_id::text,
                (new_rows.created_at at time zone 'UTC')::date,
                old_rows.session_id::text collate "C" is not distinct from new_rows.session_id::text
                and (old_rows.created_at at time zone 'UTC')::date is not distinct from (new_rows.created_at at time zone 'UTC')::date
                and not exists (select from old_rows offset 1)
                and not exists (select from new_rows offset 1)
            into only_session, only_day, is_single
            from old_rows cross join new_rows limit 1;
            if is_single is not true then
                select array_agg(session_id), array_agg(day), array_agg(change) into sessions, days, operations from (
                    select
                        session_id,
                        day,
                        case when sum(change) >= 0 then 'update' when bool_or(is_hidden) then 'delete' else 'move' end as change
                    from (  -- of a view, row by row: an update may hide some and move others
                        select session_id, day, sum(change) as change, sum(sum(change)) over (partition by row_number) < 0 as is_hidden
                        from (
                            select
                                session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day, -1 as change,
                                0 as row_number from old_rows
                            union all
                            select
                                session_id::text collate "C", (created_at at time zone 'UTC')::date, 1,
                                0 as row_number from new_rows
                        ) as sides
                        group by session_id, day, row_number
                    ) as counted
                    group by session_id, day
                ) as changed;
            end if;
        else
            sessions := array[null]::text[];
            days := array[null]::date[];
        end if;
    exception when others or assert_failure then
        sessions := array[null]::text[];
        days := array[null]::date[];
        operations := null;
        operation := case when operation = 'delete' then 'truncate' else 'everything' end;
    end;
    if may_write is not true then
        raise warning '% may not write analytics.session_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return old;
    end if;
    if is_single then
        insert into analytics.session_changes (table_oid, session_id, activity_date, operation)
        values (
            tg_relid,
            only_session,
            only_day,
            case when only_session is not null and only_day is not null then operation else 'unusable' end
        );
    else
        insert into analytics.session_changes (table_oid, session_id, activity_date, operation)
        select
            tg_relid,
            changed.session_id,
            changed.day,
            case
                when operation in ('everything', 'truncate') then operation
                when changed.session_id is null or changed.day is null then 'unusable'
                else coalesce(changed.change, operation)
            end
        from unnest(sessions, days, operations) as changed (session_id, day, change);
    end if;
    return old;
end
$$;

create or replace function analytics.log_conversations() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op collate "C");
    may_write boolean;
    is_single boolean;  -- and in no project, or in the same as before
    only_conversation uuid;
    only_crew uuid;
    only_session text;
    conversations uuid[];
    crews uuid[];
    sessions text[];
    moved uuid[];
    projects uuid[];
    is_any_moved boolean;
begin
    begin
        may_write := has_table_privilege('analytics.conversation_changes', 'insert');  -- fails without the right to use the schema
        if tg_level = 'ROW' then
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
            select id, crew_id, session_id, project_id is null and not exists (select from new_rows offset 1)
            into only_conversation, only_crew, only_session, is_single
            from new_rows limit 1;
            if not is_single then
                select
                    array_agg(id), array_agg(crew_id), array_agg(session_id),
                    array_agg(id) filter (where project_id is not null), array_agg(project_id) filter (where project_id is not null)
                into conversations, crews, sessions, moved, projects
                from new_rows;
            end if;
        elsif tg_op = 'DELETE' then
            select id, crew_id, session_id, project_id is null and not exists (select from old_rows offset 1)
            into only_conversation, only_crew, only_session, is_single
            from old_rows limit 1;
            if not is_single then
                select array_agg(id), array_agg(crew_id), array_agg(session_id), array_agg(id) filter (where project_id is not null)
                into conversations, crews, sessions, moved
                from old_rows;
            end if;
        elsif tg_op = 'UPDATE' then
            select
                new_rows.id,
                new_rows.crew_id,
                new_rows.session_id,
                (old_rows.id, old_rows.crew_id, old_rows.session_id::text collate "C", old_rows.project_id)
                is not distinct from (new_rows.id, new_rows.crew_id, new_rows.session_id::text, new_rows.project_id)
                and not exists (select from old_rows offset 1)
                and not exists (select from new_rows offset 1)
            into only_conversation, only_crew, only_session, is_single
            from old_rows cross join new_rows limit 1;
            if is_single is not true then
                select
                    array_agg(id), array_agg(crew_id), array_agg(session_id),
                    count(*) > least((select count(*) from old_rows), (select count(*) from new_rows))
                into conversations, crews, sessions, is_any_moved
                from (
                    select id, crew_id, session_id, project_id from old_rows
                    union
                    select id, crew_id, session_id, project_id from new_rows
                ) as changed;
                if is_any_moved then
                    select array_agg(id), array_agg(project_id) into moved, projects from (
                        (select id, project_id from new_rows except select id, project_id from old_rows)
                        union all
                        select id, null from old_rows  -- a view does not show it any more
                        where project_id is not null and not exists (select from new_rows where new_rows.id = old_rows.id)
                    ) as changed;
                end if;
            end if;
        else
            conversations := array[null]::uuid[];
        end if;
    exception when others or assert_failure then
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
        cross join current_setting('convo.actor', true) as actor
        where changed.id is not null;
    else
        raise warning '% may not write curation.project_assignments: when and by whom projects change is not kept', current_user;
    end if;
    if may_write is not true then
        raise warning '% may not write analytics.conversation_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
    if is_single then
        insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation, snapshot)
        values (
            tg_argv[0],
            only_conversation,
            only_crew,
            only_session,
            operation,
            case when tg_op <> 'INSERT' and only_crew is not null then pg_current_snapshot() end
        );
    else
        insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation, snapshot)
        select
            tg_argv[0],
            changed.id,
            changed.crew_id,
            changed.session_id,
            operation,
            case when tg_op = 'TRUNCATE' or tg_op <> 'INSERT' and changed.crew_id is not null then pg_current_snapshot() end
        from unnest(conversations, crews, sessions) as changed (id, crew_id, session_id);
    end if;
    return null;
end
$$;

-- The statements that create the indexes by which rows of a view in app are found by a column; none if the planner has them. It
-- says what it compares, row by row, with a value that no row has.
create or replace function analytics.missing_indexes_beneath(table_name text, column_name text, method text) returns setof text
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set timezone = 'UTC'
set standard_conforming_strings = on
as $$
declare
    of_type text;
    wanted text;
    plan jsonb;
    found record;
    start int;
    depth int;
    statements text[];
    expression text;
begin
    select format_type(atttypid, null) into of_type from pg_attribute
    where attrelid = format('app.%I', table_name)::regclass and attname = column_name;
    wanted := case of_type
        when 'uuid' then '5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a'
        when 'uuid[]' then '{5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a}'
        when 'timestamp with time zone' then '2001-02-03 04:05:06+00'
        else 'no such value'
    end;
    execute format(
        'explain (format json, verbose) select from app.%I where %I %s %L::%s',
        table_name, column_name, case method when 'gin' then '@>' else '=' end, wanted, of_type
    ) into plan;
    for found in
        select
            format('%I.%I', node ->> 'Schema', node ->> 'Relation Name') as relation,
            node ->> 'Alias' as alias,
            node ->> 'Filter' as filter
        from jsonb_path_query(plan, '$.** ? (exists (@.Filter) && exists (@."Relation Name"))') as node
    loop
        start := strpos(found.filter, format(' %s %L', case method when 'gin' then '@>' else '=' end, wanted));
        continue when start = 0;
        expression := left(found.filter, start - 1);
        depth := 0;
        for position in reverse length(expression)..1 loop
            depth := depth + case substr(expression, position, 1) when ')' then 1 when '(' then -1 else 0 end;
            if depth < 0 then
                expression := substr(expression, position + 1);
                exit;
            end if;
        end loop;
        expression := replace(expression, quote_ident(found.alias) || '.', '');
        expression := regexp_replace(expression, '\(lpad\(to_hex\((.*?)\), 32, ''0''::text\)\)::uuid', 'analytics.uuid_of(\1)', 'g');
        expression := regexp_replace(
            expression, '^\(md5\(\(''\d+:([^'']*):''::text \|\| (.*)\)\)\)::uuid$', 'analytics.uuid_of(''\1'', \2)'
        );
        continue when exists (
            select from pg_index as index
            where index.indrelid = found.relation::regclass
                and index.indisvalid
                and index.indpred is null
                and translate(pg_get_indexdef(index.indexrelid, 1, false), '() ', '') = translate(expression, '() ', '')
        );
        statements := statements || format('create index concurrently on %s using %s ((%s))', found.relation, method, expression);
    end loop;
    return query select distinct unnest(statements);
end
$$;

create or replace view analytics.unknown_sessions as
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
cross join lateral (  -- as analytics.holder_of(), which would read by the rights of who reads the view
    select
        case
            when count(*) filter (where candidate.is_decided) = 1
                then min(candidate.person_id::text) filter (where candidate.is_decided)
            when count(distinct candidate.person_id) = 1 then min(candidate.person_id::text)
        end::uuid as person_id,
        count(distinct candidate.person_id) as candidate_count
    from analytics.identifier_holders as candidate
    where candidate.identifier = sessions.identifier
        and (sessions.client_id is null or candidate.client_id = sessions.client_id)
) as holder
where holder.person_id is null;

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

create or replace view analytics.person_contact_methods as
select
    candidate.person_id,
    contact.id as contact_method_id,
    contact.kind::text,
    contact.value::text,
    resolution.status,
    resolution.method,
    resolution.confidence,
    decided.decided_by,
    decided.decided_at
from (
    select
        person_id,
        contact_method_id
    from analytics.participant_resolutions
    where person_id is not null
    union all
    select distinct
        holder.person_id,
        shared.contact_method_id
    from analytics.identifier_holders as holder
    inner join analytics.identifiers as named on named.identifier = holder.identifier and named.source = 'contact_method'
    inner join analytics.participant_resolutions as shared
        on shared.contact_method_id = named.source_id and shared.status = 'ambiguous'
) as candidate
inner join app.contact_methods as contact on contact.id = candidate.contact_method_id
inner join analytics.participant_resolutions as resolution on resolution.contact_method_id = contact.id
left join lateral (
    select
        decision.decided_by,
        case when analytics.is_usable_time(decision.decided_at) then decision.decided_at end as decided_at
    from analytics.identifiers as named
    inner join analytics.identifiers as linked
        on linked.identifier = named.identifier and linked.source = 'link' and linked.person_id = candidate.person_id
    inner join curation.participant_decisions as decision on decision.id = linked.source_id
    where named.source_id = contact.id and named.source = 'contact_method'
        and resolution.method is distinct from 'manual'
    order by decision.decided_at desc
    limit 1
) as decided on true;

create or replace view analytics.conversation_people as
select
    participant.conversation_id,
    person.id as person_id,
    case held.source when 'contact_method' then 'recipient' else 'session' end as via,
    case held.source when 'contact_method' then held.source_id end as contact_method_id,
    named.method,
    analytics.confidence_of(named.method) as confidence,
    named.method <> 'manual' and exists (
        select from analytics.identifier_holders as other
        where other.identifier = held.identifier and other.client_id <> owner.client_id
    ) as is_narrowed
from (
    select distinct
        message.conversation_id,
        'contact_method' as source,
        recipient.contact_method_id as source_id
    from app.messages as message
    inner join app.message_recipients as recipient on recipient.message_id = message.id
    union all
    select
        id,
        'conversation',
        id
    from app.conversations
    where crew_id is not null
) as participant
inner join analytics.conversation_owners as owner on owner.conversation_id = participant.conversation_id
inner join analytics.identifiers as held
    on held.source_id = participant.source_id and held.source = participant.source
cross join lateral (  -- as analytics.holder_of(), which would read by the rights of who reads the view
    select
        case
            when count(*) filter (where candidate.is_decided) = 1
                then min(candidate.person_id::text) filter (where candidate.is_decided)
            when count(distinct candidate.person_id) = 1 then min(candidate.person_id::text)
        end::uuid as person_id,
        bool_or(candidate.is_decided) as is_decided
    from analytics.identifier_holders as candidate
    where candidate.identifier = case when held.person_id is null then held.identifier end
        and (owner.client_id is null or candidate.client_id = owner.client_id)
) as holder
inner join app.people as person on person.id = coalesce(held.person_id, holder.person_id)
cross join lateral (
    select
        case
            when held.person_id is not null then 'manual'
            when holder.is_decided then 'decision'
            else analytics.kind_of(held.identifier)
        end as method
) as named;

create or replace view analytics.person_timeline as
select
    link.person_id,
    person.name::text as person_name,
    person.client_id,
    link.conversation_id,
    conversation.channel::text,
    conversation.subject::text,
    coalesce(
        summary.started_at,
        case when analytics.is_usable_time(conversation.started_at) then conversation.started_at::timestamptz end
    ) as started_at,
    summary.ended_at,
    coalesce(summary.message_count, 0) as message_count,
    summary.first_response_seconds,
    case when analytics.is_usable_time(conversation.closed_at) then conversation.closed_at::timestamptz end as closed_at
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join analytics.conversation_summaries as summary on summary.conversation_id = link.conversation_id;

comment on column analytics.refresh_state.last_error is 'Why the last tick failed; null after a success.';

comment on column analytics.refresh_state.failing_since is
'When the first tick since the last success failed; null after a success.';

-- The transactions that were open in a snapshot.
create or replace function analytics.open_xids(snapshot pg_snapshot) returns xid8[]
language plpgsql immutable parallel safe
as $$
begin
    return array(select pg_catalog.pg_snapshot_xip(snapshot));
end
$$;

comment on table analytics.unjudged_moves is
'Session-days that lost rows to another session or day while it was not known which rows of the crew''s table were '
'pruned: they are not archive because they count fewer rows. Kept until the whole table has been read. Internal.';

comment on column analytics.unjudged_moves.crew_id is 'The crew, whose pruned_at is set.';

comment on column analytics.unjudged_moves.session_id is 'The session.';

comment on column analytics.unjudged_moves.activity_date is 'The UTC day.';

create or replace function analytics.message_type(message json) returns text
language plpgsql immutable
as $$
begin
    return message operator(pg_catalog.->>) 'type';
exception when others then
    return null;
end
$$;

-- Session ids that are identifiers are told by another rule.
insert into analytics.identifier_changes (source, operation) values ('participant_resolutions retry', 'everything');

insert into analytics.conversation_changes (source, operation)
select
    'clients_conversations retry',
    'everything'
where exists (
    select from analytics.clients_conversations
    where not analytics.is_usable_time(started_at) and started_at is not null
        or not analytics.is_usable_time(closed_at) and closed_at is not null
);
