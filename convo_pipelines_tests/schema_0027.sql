-- A database as migrations 0001 to 0026 made it, by pg_dump of PostgreSQL 15; after the line "-- roles", what 0027 made of it.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA analytics;

COMMENT ON SCHEMA analytics IS 'Derived by convo_pipelines from app and the crews'' histories tables; can be dropped and rebuilt at any time.';

CREATE SCHEMA app;

CREATE SCHEMA curation;

COMMENT ON SCHEMA curation IS 'What people decide by hand. Nothing of it can be computed again: back it up.';

CREATE FUNCTION analytics.capture(source regclass) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    known record;
    member record;
    argument text;
begin
    select * into known from analytics.source_tables((select relname from pg_class where oid = source)) where table_oid = source;
    if not found then
        raise exception '% is not read by the pipeline: it is no histories table of an active crew', source
        using errcode = 'insufficient_privilege';
    end if;
    if known.obstacle is not null then
        raise exception '% cannot be captured: %', source, known.obstacle using errcode = 'feature_not_supported';
    end if;
    execute format('lock table %s in share row exclusive mode', source);
    argument := case when known.is_histories then '' else quote_literal(known.name) end;
    for member in
        select class.oid::regclass as name, class.relkind as kind from pg_class as class where class.oid = any(known.members)
    loop
        perform analytics.drop_triggers(member.name);
        if known.is_fed and member.kind = 'r' then
            execute format(
                'create trigger convo_pipelines_row after insert or update or delete on %s '
                'for each row execute function analytics.%I(%s)', member.name, known.log_function, argument);
        elsif not known.is_fed then
            execute format(
                'create trigger convo_pipelines_insert after insert on %s referencing new table as new_rows '
                'for each statement execute function analytics.%I(%s)', member.name, known.log_function, argument);
            execute format(
                'create trigger convo_pipelines_update after update on %s referencing old table as old_rows new table as new_rows '
                'for each statement execute function analytics.%I(%s)', member.name, known.log_function, argument);
            execute format(
                'create trigger convo_pipelines_delete after delete on %s referencing old table as old_rows '
                'for each statement execute function analytics.%I(%s)', member.name, known.log_function, argument);
        end if;
        execute format(
            'create trigger convo_pipelines_truncate after truncate on %s '
            'for each statement execute function analytics.%I(%s)', member.name, known.log_function, argument);
        perform analytics.enable_triggers(member.name);
    end loop;
end
$$;

CREATE FUNCTION analytics.confidence_of(method text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE method WHEN 'manual'::text THEN 1.00 WHEN 'decision'::text THEN 1.00 WHEN 'email'::text THEN 0.95 WHEN 'phone'::text THEN 0.90 WHEN 'linkedin'::text THEN 0.85 ELSE NULL::numeric END;

COMMENT ON FUNCTION analytics.confidence_of(method text) IS 'How sure a method is: the application or a decision says so, or an e-mail address, a phone number, a LinkedIn profile.';

CREATE FUNCTION analytics.drop_triggers(member regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    trigger_name text;
begin
    for trigger_name in
        select tgname from pg_trigger where tgrelid = member and tgname like 'convo\_pipelines\_%' and tgparentid = 0
    loop
        execute format('drop trigger %I on %s', trigger_name, member);
    end loop;
end
$$;

CREATE FUNCTION analytics.enable_triggers(member regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    trigger_name text;
begin
    for trigger_name in select tgname from pg_trigger where tgrelid = member and tgname like 'convo\_pipelines\_%' loop
        execute format('alter table only %s enable always trigger %I', member, trigger_name);
    end loop;
end
$$;

CREATE FUNCTION analytics.holder_of(wanted text, client uuid) RETURNS TABLE(person_id uuid, is_decided boolean, candidate_count bigint)
    LANGUAGE sql STABLE
    AS $$
    select
        case
            when count(*) filter (where is_decided) = 1 then min(person_id::text) filter (where is_decided)
            when count(distinct person_id) = 1 then min(person_id::text)
        end::uuid,
        bool_or(is_decided),
        count(distinct person_id)
    from analytics.identifier_holders
    where identifier = wanted and (client is null or client_id = client)
$$;

COMMENT ON FUNCTION analytics.holder_of(wanted text, client uuid) IS 'Whom an identifier names among the persons of a client, or all if that is null: who was decided, else who holds it, if that is exactly one; and how many there are.';

CREATE FUNCTION analytics.is_new(xid xid8, seen pg_snapshot, taken pg_snapshot) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((xid >= pg_snapshot_xmin(seen)) AND (NOT pg_visible_in_snapshot(xid, seen)) AND pg_visible_in_snapshot(xid, taken));

CREATE FUNCTION analytics.is_usable_session(session_id text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE((octet_length(session_id) <= 2000), false);

CREATE FUNCTION analytics.is_usable_time(at timestamp with time zone) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(((at >= '0001-01-02 00:00:00+00'::timestamp with time zone) AND (at < '9999-12-30 00:00:00+00'::timestamp with time zone)), false);

CREATE FUNCTION analytics.kind_of(identifier text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (identifier ~~ '%@%'::text) THEN 'email'::text WHEN (identifier ~~ '+%'::text) THEN 'phone'::text ELSE 'linkedin'::text END;

COMMENT ON FUNCTION analytics.kind_of(identifier text) IS 'email, phone or linkedin: what a canonical identifier is.';

CREATE FUNCTION analytics.lock_parents(parent text, ids uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
    if parent not in ('clients', 'crews', 'people', 'contact_methods', 'conversations', 'projects', 'users') then
        raise exception 'app.% is not a table that rows of analytics refer to', parent using errcode = 'insufficient_privilege';
    end if;
    return query execute
        format('select id from app.%I where id = any($1) order by id for key share skip locked', parent) using ids;
end
$_$;

CREATE FUNCTION analytics.log_conversations() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
    insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation)
    select tg_argv[0], changed.id, changed.crew_id, changed.session_id, operation
    from unnest(conversations, crews, sessions) as changed (id, crew_id, session_id);
    return null;
end
$$;

CREATE FUNCTION analytics.log_identifiers() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
            declare
                operation text := lower(tg_op);
                keys uuid[];
            begin
                begin
                    if tg_op = 'TRUNCATE' then
                        keys := array[null]::uuid[];
                    elsif tg_level = 'ROW' then
                        if tg_op <> 'INSERT' then keys := array[old.id]; end if;
                        if tg_op <> 'DELETE' then keys := keys || new.id; end if;
                    elsif tg_op = 'INSERT' then
                        select array_agg(distinct id) into keys from new_rows;
                    elsif tg_op = 'DELETE' then
                        select array_agg(distinct id) into keys from old_rows;
                    else
                        select array_agg(id) into keys from (
                            select id from old_rows union select id from new_rows
                        ) as changed;
                    end if;
                exception when others then
                    keys := array[null]::uuid[];
                    operation := 'everything';
                end;
                insert into analytics.identifier_changes (source, id, operation) select tg_argv[0], key, operation
                from unnest(keys) as key
                where key is not null or operation in ('everything', 'truncate');
                return null;
            end
            $$;

CREATE FUNCTION analytics.log_messages() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
            declare
                operation text := lower(tg_op);
                keys uuid[];
            begin
                begin
                    if tg_op = 'TRUNCATE' then
                        keys := array[null]::uuid[];
                    elsif tg_level = 'ROW' then
                        if tg_op <> 'INSERT' then keys := array[old.conversation_id]; end if;
                        if tg_op <> 'DELETE' then keys := keys || new.conversation_id; end if;
                    elsif tg_op = 'INSERT' then
                        select array_agg(distinct conversation_id) into keys from new_rows;
                    elsif tg_op = 'DELETE' then
                        select array_agg(distinct conversation_id) into keys from old_rows;
                    else
                        select array_agg(conversation_id) into keys from (
                            select conversation_id from old_rows union select conversation_id from new_rows
                        ) as changed;
                    end if;
                exception when others then
                    keys := array[null]::uuid[];
                    operation := 'everything';
                end;
                insert into analytics.conversation_changes (source, conversation_id, operation) select tg_argv[0], key, operation
                from unnest(keys) as key
                where key is not null or operation in ('everything', 'truncate');
                return null;
            end
            $$;

CREATE FUNCTION analytics.log_projects() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
            declare
                operation text := lower(tg_op);
                keys uuid[];
            begin
                begin
                    if tg_op = 'TRUNCATE' then
                        keys := array[null]::uuid[];
                    elsif tg_level = 'ROW' then
                        if tg_op <> 'INSERT' then keys := array[old.id]; end if;
                        if tg_op <> 'DELETE' then keys := keys || new.id; end if;
                    elsif tg_op = 'INSERT' then
                        select array_agg(distinct id) into keys from new_rows;
                    elsif tg_op = 'DELETE' then
                        select array_agg(distinct id) into keys from old_rows;
                    else
                        select array_agg(id) into keys from (
                            select id from old_rows union select id from new_rows
                        ) as changed;
                    end if;
                exception when others then
                    keys := array[null]::uuid[];
                    operation := 'everything';
                end;
                insert into analytics.project_changes (project_id, operation) select key, operation
                from unnest(keys) as key
                where key is not null or operation in ('everything', 'truncate');
                return null;
            end
            $$;

CREATE FUNCTION analytics.log_recipients() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
            declare
                operation text := lower(tg_op);
                keys uuid[];
            begin
                begin
                    if tg_op = 'TRUNCATE' then
                        keys := array[null]::uuid[];
                    elsif tg_level = 'ROW' then
                        if tg_op <> 'INSERT' then keys := array[old.message_id]; end if;
                        if tg_op <> 'DELETE' then keys := keys || new.message_id; end if;
                    elsif tg_op = 'INSERT' then
                        select array_agg(distinct message_id) into keys from new_rows;
                    elsif tg_op = 'DELETE' then
                        select array_agg(distinct message_id) into keys from old_rows;
                    else
                        select array_agg(message_id) into keys from (
                            select message_id from old_rows union select message_id from new_rows
                        ) as changed;
                    end if;
                exception when others then
                    keys := array[null]::uuid[];
                    operation := 'everything';
                end;
                insert into analytics.message_changes (message_id, operation) select key, operation
                from unnest(keys) as key
                where key is not null or operation in ('everything', 'truncate');
                return null;
            end
            $$;

CREATE FUNCTION analytics.log_sessions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    operation text := lower(tg_op);
    sessions text[];
    days date[];
begin
    begin
        if tg_op = 'TRUNCATE' then
            sessions := array[null]::text[];
            days := array[null]::date[];
        elsif tg_level = 'ROW' then
            if tg_op <> 'INSERT' then
                sessions := array[old.session_id::text];
                days := array[(old.created_at at time zone 'UTC')::date];
            end if;
            if tg_op <> 'DELETE' then
                sessions := sessions || new.session_id::text;
                days := days || (new.created_at at time zone 'UTC')::date;
            end if;
        elsif tg_op = 'INSERT' then
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select distinct session_id::text as session_id, (created_at at time zone 'UTC')::date as day from new_rows
            ) as changed;
        elsif tg_op = 'DELETE' then
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select distinct session_id::text as session_id, (created_at at time zone 'UTC')::date as day from old_rows
            ) as changed;
        else
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select session_id::text as session_id, (created_at at time zone 'UTC')::date as day from old_rows
                union
                select session_id::text, (created_at at time zone 'UTC')::date from new_rows
            ) as changed;
        end if;
    exception when others then
        sessions := array[null]::text[];
        days := array[null]::date[];
        operation := case when tg_op = 'DELETE' then 'truncate' else 'everything' end;
    end;
    insert into analytics.session_changes (table_oid, session_id, activity_date, operation)
    select
        tg_relid,
        changed.session_id,
        changed.day,
        case
            when operation in ('everything', 'truncate') or changed.session_id is not null and changed.day is not null
                then operation
            else 'unplaced'
        end
    from unnest(sessions, days) as changed (session_id, day);
    return null;
end
$$;

CREATE FUNCTION analytics.message_type(message json) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
    return message ->> 'type';
exception when others then
    return null;
end
$$;

CREATE FUNCTION analytics.message_type(message jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (message ->> 'type'::text);

CREATE FUNCTION analytics.release(source regclass) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    member regclass;
begin
    for member in
        with recursive members (oid) as (
            select source::oid
            union
            select pg_inherits.inhrelid from members inner join pg_inherits on pg_inherits.inhparent = members.oid
        )
        select members.oid::regclass from members
    loop
        perform analytics.drop_triggers(member);
    end loop;
end
$$;

CREATE FUNCTION analytics.source_tables(only_name text DEFAULT NULL::text) RETURNS TABLE(name text, is_histories boolean, log_function text, table_oid oid, members oid[], obstacle text, is_fed boolean, is_captured boolean, identity text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with recursive named as (
        select distinct crew.histories_table_name::text as name, true as is_histories, 'log_sessions' as log_function
        from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        where crew.is_active and client.is_active and octet_length(crew.histories_table_name) <= 63
            and crew.histories_table_name not in (
            'clients', 'crews', 'people', 'contact_methods', 'conversations', 'messages', 'message_recipients', 'projects'
        )
        union all
        select wanted.name, false, wanted.log_function
        from (
            values
            ('clients', 'log_identifiers'), ('crews', 'log_identifiers'), ('people', 'log_identifiers'),
            ('contact_methods', 'log_identifiers'), ('conversations', 'log_conversations'), ('messages', 'log_messages'),
            ('message_recipients', 'log_recipients'), ('projects', 'log_projects')
        ) as wanted (name, log_function)
    ),
    roots as (
        select named.*, to_regclass(format('app.%I', named.name))::oid as table_oid
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
            array_agg(trigger.tgname::text order by trigger.tgname) filter (where trigger.tgenabled = 'A') as names,
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
            concat_ws(':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of, case when class.oid = to_regclass('app.projects') and not exists (
                select from pg_attribute as attribute
                where attribute.attrelid = class.oid and attribute.attname = 'conversation_ids'
            ) then 'without conversation_ids' end) as identity,
            coalesce(capturing.names, array[]::text[]) as triggers,
            bool_or(fed.srrelid is not null or members.oid = roots.table_oid and parents.oid is not null)
            over (partition by members.name) as is_fed
        from members
        inner join roots on roots.name = members.name
        left join parents on parents.oid = members.oid
        inner join pg_class as class on class.oid = members.oid
        left join capturing on capturing.tgrelid = class.oid
        left join pg_subscription_rel as fed on fed.srrelid = class.oid
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
            bool_and(
                files.triggers @> array['convo_pipelines_truncate'] and case
                    when not files.is_fed then
                        files.triggers @> array['convo_pipelines_delete', 'convo_pipelines_insert', 'convo_pipelines_update']
                    else files.relkind = 'p' or files.triggers @> array['convo_pipelines_row']
                end
            ) as is_captured
        from files
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
        coalesce(described.identity, 'absent')
    from roots
    left join described on described.name = roots.name
$$;

CREATE FUNCTION app.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    new.updated_at := clock_timestamp();
    return new;
end
$$;

CREATE FUNCTION curation.check_decision() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if tg_op = 'INSERT' then
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
        new.revoked_by := coalesce(new.revoked_by, session_user);
    end if;
    return new;
end
$$;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE analytics.alerts (
    source text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    found text NOT NULL,
    remedy text NOT NULL,
    link text,
    since timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    told_at timestamp with time zone,
    failed_deliveries integer DEFAULT 0 NOT NULL,
    last_error text
);

COMMENT ON TABLE analytics.alerts IS 'What is not as it should be, who has been told, and whether that succeeded; rows go once their end has been told.';

COMMENT ON COLUMN analytics.alerts.source IS 'Who noticed: health, runs or checks.';

COMMENT ON COLUMN analytics.alerts.kind IS 'What is wrong.';

COMMENT ON COLUMN analytics.alerts.subject IS 'With which table, crew, job or check.';

COMMENT ON COLUMN analytics.alerts.found IS 'How much, or how many.';

COMMENT ON COLUMN analytics.alerts.remedy IS 'What to do.';

COMMENT ON COLUMN analytics.alerts.link IS 'Where the UI shows it; null: DAGSTER_UI_URL is not set.';

COMMENT ON COLUMN analytics.alerts.since IS 'Since when.';

COMMENT ON COLUMN analytics.alerts.ended_at IS 'When it was over; null: it is not.';

COMMENT ON COLUMN analytics.alerts.told_at IS 'When somebody was last told that it is so; null: not yet.';

COMMENT ON COLUMN analytics.alerts.failed_deliveries IS 'How often in a row telling failed.';

COMMENT ON COLUMN analytics.alerts.last_error IS 'Why the last delivery failed.';

CREATE TABLE analytics.histories_sessions (
    crew_id uuid NOT NULL,
    session_id text NOT NULL,
    activity_date date NOT NULL,
    message_count bigint NOT NULL,
    human_count bigint NOT NULL,
    ai_count bigint NOT NULL,
    first_message_at timestamp with time zone NOT NULL,
    last_message_at timestamp with time zone NOT NULL,
    first_human_at timestamp with time zone,
    first_ai_at timestamp with time zone,
    first_response_at timestamp with time zone,
    refreshed_at timestamp with time zone DEFAULT now() NOT NULL,
    archived_at timestamp with time zone
);

COMMENT ON TABLE analytics.histories_sessions IS 'One row per crew, session and UTC day with messages: partial aggregates. Add the counts, take min and max of the times.';

COMMENT ON COLUMN analytics.histories_sessions.crew_id IS 'The crew whose histories table holds the session.';

COMMENT ON COLUMN analytics.histories_sessions.session_id IS 'The session, as the crew''s histories table names it.';

COMMENT ON COLUMN analytics.histories_sessions.activity_date IS 'UTC day of the messages counted in this row.';

COMMENT ON COLUMN analytics.histories_sessions.message_count IS 'Messages of any type, tool calls and unknown types included.';

COMMENT ON COLUMN analytics.histories_sessions.human_count IS 'Messages of type human.';

COMMENT ON COLUMN analytics.histories_sessions.ai_count IS 'Messages of type ai.';

COMMENT ON COLUMN analytics.histories_sessions.first_message_at IS 'Time of the day''s first message.';

COMMENT ON COLUMN analytics.histories_sessions.last_message_at IS 'Time of the day''s last message.';

COMMENT ON COLUMN analytics.histories_sessions.first_human_at IS 'Time of the day''s first human message.';

COMMENT ON COLUMN analytics.histories_sessions.first_ai_at IS 'Time of the day''s first ai message.';

COMMENT ON COLUMN analytics.histories_sessions.first_response_at IS 'Time of the day''s first ai message that is not earlier than its first human message.';

COMMENT ON COLUMN analytics.histories_sessions.refreshed_at IS 'Start of the transaction that last wrote this row.';

COMMENT ON COLUMN analytics.histories_sessions.archived_at IS 'When rows of it were deleted that were old already: since then it keeps what it counts; null: it follows its source.';

CREATE TABLE app.crews (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    client_id uuid NOT NULL,
    crew_code text NOT NULL,
    name text NOT NULL,
    histories_table_name text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE VIEW analytics.busiest_crews AS
 SELECT rank() OVER (ORDER BY (sum(day.message_count)) DESC) AS place,
    day.crew_id,
    crew.crew_code,
    crew.name AS crew_name,
    crew.client_id,
    count(DISTINCT day.session_id) AS sessions,
    (sum(day.message_count))::bigint AS messages
   FROM (analytics.histories_sessions day
     JOIN app.crews crew ON ((crew.id = day.crew_id)))
  WHERE (day.activity_date >= (((now() AT TIME ZONE 'UTC'::text))::date - 30))
  GROUP BY day.crew_id, crew.crew_code, crew.name, crew.client_id;

COMMENT ON VIEW analytics.busiest_crews IS 'The crews of the last 30 UTC days and today, the one with most messages first.';

COMMENT ON COLUMN analytics.busiest_crews.place IS '1 for the busiest; equal crews share a place.';

COMMENT ON COLUMN analytics.busiest_crews.crew_id IS 'The crew.';

COMMENT ON COLUMN analytics.busiest_crews.crew_code IS 'The crew''s code.';

COMMENT ON COLUMN analytics.busiest_crews.crew_name IS 'The crew''s name.';

COMMENT ON COLUMN analytics.busiest_crews.client_id IS 'The crew''s client now.';

COMMENT ON COLUMN analytics.busiest_crews.sessions IS 'Sessions with a message in that time.';

COMMENT ON COLUMN analytics.busiest_crews.messages IS 'Messages of any type in that time.';

CREATE TABLE analytics.capture_state (
    table_name text NOT NULL,
    table_oid oid,
    members oid[],
    identity text,
    mode text NOT NULL,
    is_wanted boolean DEFAULT true NOT NULL,
    is_settled boolean DEFAULT true NOT NULL,
    remark text,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT capture_state_mode_check CHECK ((mode = ANY (ARRAY['captured'::text, 'window'::text])))
);

COMMENT ON TABLE analytics.capture_state IS 'The tables of app that are read, and whether their changes are logged. Internal.';

COMMENT ON COLUMN analytics.capture_state.table_name IS 'The table in app.';

COMMENT ON COLUMN analytics.capture_state.table_oid IS 'Its oid; null: there is none of that name.';

COMMENT ON COLUMN analytics.capture_state.members IS 'Its oid and those of its partitions.';

COMMENT ON COLUMN analytics.capture_state.identity IS 'What the catalog said of its files and triggers; where it says otherwise, everything is read again.';

COMMENT ON COLUMN analytics.capture_state.mode IS 'captured: changes are logged; window: the last two days are read at each tick, the rest nightly.';

COMMENT ON COLUMN analytics.capture_state.is_wanted IS 'Whether it is to be captured: convo-pipelines capture on, off.';

COMMENT ON COLUMN analytics.capture_state.is_settled IS 'false: somebody held a lock on it; it is tried again.';

COMMENT ON COLUMN analytics.capture_state.remark IS 'Why it is not captured.';

COMMENT ON COLUMN analytics.capture_state.changed_at IS 'When this was last found out.';

CREATE TABLE analytics.catalog_state (
    is_the_one boolean DEFAULT true NOT NULL,
    fingerprint text,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT catalog_state_is_the_one_check CHECK (is_the_one)
);

COMMENT ON TABLE analytics.catalog_state IS 'When the catalog was last looked at table by table: one row. Internal.';

COMMENT ON COLUMN analytics.catalog_state.is_the_one IS 'Always true.';

COMMENT ON COLUMN analytics.catalog_state.fingerprint IS 'Of the tables, partitions, triggers, crews and clients at that time; null: to be looked at.';

COMMENT ON COLUMN analytics.catalog_state.seen_at IS 'When that was.';

CREATE TABLE analytics.conversation_changes (
    source text NOT NULL,
    conversation_id uuid,
    crew_id uuid,
    session_id text,
    operation text NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    logged_at timestamp with time zone DEFAULT now() NOT NULL,
    client_id uuid,
    activity_date date
)
WITH (vacuum_truncate=off);

ALTER TABLE ONLY analytics.conversation_changes REPLICA IDENTITY FULL;

COMMENT ON TABLE analytics.conversation_changes IS 'Change log of conversations, their messages, and of tables derived from them. Internal.';

COMMENT ON COLUMN analytics.conversation_changes.source IS 'The table whose row changed; "… again": what a refresh of that table left for its next tick, because it was locked.';

COMMENT ON COLUMN analytics.conversation_changes.conversation_id IS 'The conversation; null with a crew_id or client_id: of a session, or a day; null without: everything of the source.';

COMMENT ON COLUMN analytics.conversation_changes.crew_id IS 'The crew, of a crew''s conversation, session or day.';

COMMENT ON COLUMN analytics.conversation_changes.session_id IS 'The session, of a crew''s conversation or session.';

COMMENT ON COLUMN analytics.conversation_changes.operation IS 'insert, update, delete, truncate or everything.';

COMMENT ON COLUMN analytics.conversation_changes.xid IS 'The transaction that changed it.';

COMMENT ON COLUMN analytics.conversation_changes.logged_at IS 'When that transaction began.';

COMMENT ON COLUMN analytics.conversation_changes.client_id IS 'The client, of a client''s day.';

COMMENT ON COLUMN analytics.conversation_changes.activity_date IS 'The UTC day of a session, crew or client.';

CREATE TABLE analytics.identifier_changes (
    source text NOT NULL,
    id uuid,
    operation text NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    logged_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (vacuum_truncate=off);

ALTER TABLE ONLY analytics.identifier_changes REPLICA IDENTITY FULL;

COMMENT ON TABLE analytics.identifier_changes IS 'Change log of people, contact methods, crews, clients, and of whose each contact method is. Internal.';

COMMENT ON COLUMN analytics.identifier_changes.source IS 'The table whose row changed; "… again": what a refresh of that table left for its next tick, because it was locked.';

COMMENT ON COLUMN analytics.identifier_changes.id IS 'The person, contact method, crew, client or decision; null: everything of the source.';

COMMENT ON COLUMN analytics.identifier_changes.operation IS 'insert, update, delete, truncate or everything.';

COMMENT ON COLUMN analytics.identifier_changes.xid IS 'The transaction that changed it.';

COMMENT ON COLUMN analytics.identifier_changes.logged_at IS 'When that transaction began.';

CREATE TABLE analytics.message_changes (
    message_id uuid,
    operation text NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    logged_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (vacuum_truncate=off);

ALTER TABLE ONLY analytics.message_changes REPLICA IDENTITY FULL;

COMMENT ON TABLE analytics.message_changes IS 'Change log of the messages'' recipients. Internal.';

COMMENT ON COLUMN analytics.message_changes.message_id IS 'The message; null: everything.';

COMMENT ON COLUMN analytics.message_changes.operation IS 'insert, update, delete, truncate or everything.';

COMMENT ON COLUMN analytics.message_changes.xid IS 'The transaction that changed it.';

COMMENT ON COLUMN analytics.message_changes.logged_at IS 'When that transaction began.';

CREATE TABLE analytics.project_changes (
    project_id uuid,
    operation text NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    logged_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (vacuum_truncate=off);

ALTER TABLE ONLY analytics.project_changes REPLICA IDENTITY FULL;

COMMENT ON TABLE analytics.project_changes IS 'Change log of the projects. Internal.';

COMMENT ON COLUMN analytics.project_changes.project_id IS 'The project; null: everything.';

COMMENT ON COLUMN analytics.project_changes.operation IS 'insert, update, delete, truncate or everything.';

COMMENT ON COLUMN analytics.project_changes.xid IS 'The transaction that changed it.';

COMMENT ON COLUMN analytics.project_changes.logged_at IS 'When that transaction began.';

CREATE TABLE analytics.session_changes (
    table_oid oid NOT NULL,
    session_id text,
    activity_date date,
    operation text NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    logged_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (vacuum_truncate=off);

ALTER TABLE ONLY analytics.session_changes REPLICA IDENTITY FULL;

COMMENT ON TABLE analytics.session_changes IS 'Change log of the histories tables: the sessions and days that a transaction wrote to. Internal.';

COMMENT ON COLUMN analytics.session_changes.table_oid IS 'The histories table, or the partition of one.';

COMMENT ON COLUMN analytics.session_changes.session_id IS 'The session; with operation everything: of its day, after this session; null: see operation.';

COMMENT ON COLUMN analytics.session_changes.activity_date IS 'UTC day of the rows; with operation everything: from this day on, null: all days.';

COMMENT ON COLUMN analytics.session_changes.operation IS 'insert, update, delete; everything: read the whole table again; truncate: that, and rows are gone; unplaced: rows without a session or a time, which are left out.';

COMMENT ON COLUMN analytics.session_changes.xid IS 'The transaction that changed it.';

COMMENT ON COLUMN analytics.session_changes.logged_at IS 'When that transaction began.';

CREATE VIEW analytics.changes AS
 SELECT 'histories'::text AS source,
    session_changes.xid,
    session_changes.logged_at,
    session_changes.operation,
    (session_changes.operation = ANY (ARRAY['everything'::text, 'truncate'::text])) AS is_everything
   FROM analytics.session_changes
UNION ALL
 SELECT conversation_changes.source,
    conversation_changes.xid,
    conversation_changes.logged_at,
    conversation_changes.operation,
    ((conversation_changes.conversation_id IS NULL) AND (conversation_changes.crew_id IS NULL) AND (conversation_changes.client_id IS NULL)) AS is_everything
   FROM analytics.conversation_changes
UNION ALL
 SELECT 'message_recipients'::text AS source,
    message_changes.xid,
    message_changes.logged_at,
    message_changes.operation,
    (message_changes.message_id IS NULL) AS is_everything
   FROM analytics.message_changes
UNION ALL
 SELECT identifier_changes.source,
    identifier_changes.xid,
    identifier_changes.logged_at,
    identifier_changes.operation,
    (identifier_changes.id IS NULL) AS is_everything
   FROM analytics.identifier_changes
UNION ALL
 SELECT 'projects'::text AS source,
    project_changes.xid,
    project_changes.logged_at,
    project_changes.operation,
    (project_changes.project_id IS NULL) AS is_everything
   FROM analytics.project_changes;

COMMENT ON VIEW analytics.changes IS 'All change logs together. Internal.';

COMMENT ON COLUMN analytics.changes.source IS 'The table whose row changed; histories: any histories table.';

COMMENT ON COLUMN analytics.changes.xid IS 'The transaction that changed it.';

COMMENT ON COLUMN analytics.changes.logged_at IS 'When that transaction began.';

COMMENT ON COLUMN analytics.changes.operation IS 'insert, update, delete, truncate or everything.';

COMMENT ON COLUMN analytics.changes.is_everything IS 'Whether everything of the source is to be read again.';

CREATE TABLE analytics.client_activity_daily (
    client_id uuid NOT NULL,
    activity_date date NOT NULL,
    client_code text NOT NULL,
    sessions bigint NOT NULL,
    messages bigint NOT NULL,
    conversations_started bigint NOT NULL,
    conversations_closed bigint NOT NULL,
    first_response_median_seconds double precision,
    first_response_p90_seconds double precision,
    refreshed_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE analytics.client_activity_daily IS 'What happened in each client''s conversations on each UTC day: one row per client and day with anything.';

COMMENT ON COLUMN analytics.client_activity_daily.client_id IS 'The client the conversations belong to.';

COMMENT ON COLUMN analytics.client_activity_daily.activity_date IS 'UTC day.';

COMMENT ON COLUMN analytics.client_activity_daily.client_code IS 'The client''s code.';

COMMENT ON COLUMN analytics.client_activity_daily.sessions IS 'Crews'' sessions with a message on that day.';

COMMENT ON COLUMN analytics.client_activity_daily.messages IS 'Messages of that day, of sessions, e-mail and chats.';

COMMENT ON COLUMN analytics.client_activity_daily.conversations_started IS 'Conversations whose first message is of that day.';

COMMENT ON COLUMN analytics.client_activity_daily.conversations_closed IS 'Conversations closed on that day.';

COMMENT ON COLUMN analytics.client_activity_daily.first_response_median_seconds IS 'Exact median seconds to the first answer, of the conversations started on that day; null if none was answered.';

COMMENT ON COLUMN analytics.client_activity_daily.first_response_p90_seconds IS 'Exact 90th percentile of the seconds to the first answer, of the conversations started on that day.';

COMMENT ON COLUMN analytics.client_activity_daily.refreshed_at IS 'Start of the transaction that last wrote this row.';

CREATE TABLE app.clients (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    client_code text NOT NULL,
    name text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE VIEW analytics.client_names AS
 SELECT clients.id AS client_id,
    clients.client_code,
    clients.name AS client_name,
    clients.is_active
   FROM app.clients;

COMMENT ON VIEW analytics.client_names IS 'What each client is called.';

COMMENT ON COLUMN analytics.client_names.client_id IS 'The client.';

COMMENT ON COLUMN analytics.client_names.client_code IS 'Its code.';

COMMENT ON COLUMN analytics.client_names.client_name IS 'Its name.';

COMMENT ON COLUMN analytics.client_names.is_active IS 'Whether its crews are read.';

CREATE TABLE analytics.clients_conversations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    client_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    channel text,
    crew_id uuid,
    project_id uuid,
    started_at timestamp with time zone,
    closed_at timestamp with time zone
);

COMMENT ON TABLE analytics.clients_conversations IS 'Whose people or crew are in which conversation.';

COMMENT ON COLUMN analytics.clients_conversations.id IS 'Key of the link.';

COMMENT ON COLUMN analytics.clients_conversations.client_id IS 'The client in app.clients.';

COMMENT ON COLUMN analytics.clients_conversations.conversation_id IS 'The conversation in app.conversations.';

COMMENT ON COLUMN analytics.clients_conversations.created_at IS 'When the link was found.';

COMMENT ON COLUMN analytics.clients_conversations.updated_at IS 'When the link was last written; a right link is not.';

COMMENT ON COLUMN analytics.clients_conversations.channel IS 'Of the conversation.';

COMMENT ON COLUMN analytics.clients_conversations.crew_id IS 'Of the conversation, if it is a crew''s.';

COMMENT ON COLUMN analytics.clients_conversations.project_id IS 'The project that the conversation names.';

COMMENT ON COLUMN analytics.clients_conversations.started_at IS 'When the conversation was started.';

COMMENT ON COLUMN analytics.clients_conversations.closed_at IS 'When it was closed; null while it is open.';

CREATE TABLE app.contact_methods (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_id uuid,
    kind text NOT NULL,
    value text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contact_methods_kind_check CHECK ((kind = ANY (ARRAY['email'::text, 'phone'::text, 'linkedin'::text])))
);

CREATE VIEW analytics.contact_method_values AS
 SELECT contact_methods.id AS contact_method_id,
    contact_methods.kind,
    contact_methods.value,
    contact_methods.person_id
   FROM app.contact_methods;

COMMENT ON VIEW analytics.contact_method_values IS 'What each contact method is. Personal data.';

COMMENT ON COLUMN analytics.contact_method_values.contact_method_id IS 'The contact method.';

COMMENT ON COLUMN analytics.contact_method_values.kind IS 'email, phone or linkedin.';

COMMENT ON COLUMN analytics.contact_method_values.value IS 'The address, number or profile, as the application spells it.';

COMMENT ON COLUMN analytics.contact_method_values.person_id IS 'Whose it is, by the application''s word; see participant_resolutions.';

CREATE TABLE app.conversations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    channel text NOT NULL,
    external_id text,
    client_id uuid,
    crew_id uuid,
    session_id text,
    project_id uuid,
    lead_id uuid,
    customer_id uuid,
    subject text,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT conversations_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'whatsapp'::text, 'linkedin'::text, 'chat'::text, 'crew'::text])))
);

COMMENT ON COLUMN app.conversations.closed_at IS 'When the conversation was closed; null while it is open. Added by convo_pipelines.';

CREATE VIEW analytics.conversation_owners AS
 SELECT conversation.id AS conversation_id,
    COALESCE(conversation.client_id, crew.client_id) AS client_id
   FROM (app.conversations conversation
     LEFT JOIN app.crews crew ON ((crew.id = conversation.crew_id)));

COMMENT ON VIEW analytics.conversation_owners IS 'Whose conversation it is: the client it names; only where it names none, the client of its crew.';

COMMENT ON COLUMN analytics.conversation_owners.conversation_id IS 'The conversation in app.conversations.';

COMMENT ON COLUMN analytics.conversation_owners.client_id IS 'Its client; null: it names none and has no crew.';

CREATE TABLE analytics.people_conversations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE analytics.people_conversations IS 'Who is in which conversation: a recipient of any of its messages, in any role, or the session id of a crew''s.';

COMMENT ON COLUMN analytics.people_conversations.id IS 'Key of the link.';

COMMENT ON COLUMN analytics.people_conversations.person_id IS 'The person in app.people.';

COMMENT ON COLUMN analytics.people_conversations.conversation_id IS 'The conversation in app.conversations.';

COMMENT ON COLUMN analytics.people_conversations.created_at IS 'When the link was found.';

COMMENT ON COLUMN analytics.people_conversations.updated_at IS 'When the link was last written; a right link is not.';

CREATE TABLE app.people (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    client_id uuid NOT NULL,
    name text NOT NULL,
    email text,
    phone text,
    linkedin_urn text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE VIEW analytics.conversation_clients AS
 SELECT link.conversation_id,
    person.client_id,
    'person'::text AS via,
    link.person_id
   FROM (analytics.people_conversations link
     JOIN app.people person ON ((person.id = link.person_id)))
UNION ALL
 SELECT conversation.id AS conversation_id,
    owner.client_id,
    'crew'::text AS via,
    NULL::uuid AS person_id
   FROM (app.conversations conversation
     JOIN analytics.conversation_owners owner ON ((owner.conversation_id = conversation.id)))
  WHERE ((conversation.crew_id IS NOT NULL) AND (owner.client_id IS NOT NULL));

COMMENT ON VIEW analytics.conversation_clients IS 'Which clients are in a conversation, and why: a person of theirs is, or it is a session of their crew.';

COMMENT ON COLUMN analytics.conversation_clients.conversation_id IS 'The conversation.';

COMMENT ON COLUMN analytics.conversation_clients.client_id IS 'The client.';

COMMENT ON COLUMN analytics.conversation_clients.via IS 'person or crew: what takes it there.';

COMMENT ON COLUMN analytics.conversation_clients.person_id IS 'The person; null: the crew.';

CREATE TABLE analytics.conversation_days (
    conversation_id uuid NOT NULL,
    activity_date date NOT NULL,
    client_id uuid NOT NULL,
    source text NOT NULL,
    message_count bigint NOT NULL,
    is_started boolean NOT NULL,
    is_closed boolean NOT NULL,
    first_response_seconds double precision,
    refreshed_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE analytics.conversation_days IS 'What happened in each client''s conversation on each UTC day with anything: partial aggregates, for clients'' days.';

COMMENT ON COLUMN analytics.conversation_days.conversation_id IS 'The conversation.';

COMMENT ON COLUMN analytics.conversation_days.activity_date IS 'UTC day with a message, or on which it was closed.';

COMMENT ON COLUMN analytics.conversation_days.client_id IS 'The client it belongs to; part of the key, so that a conversation that changes hands leaves one client''s day for another''s.';

COMMENT ON COLUMN analytics.conversation_days.source IS 'histories or messages, as in conversation_summaries.';

COMMENT ON COLUMN analytics.conversation_days.message_count IS 'Messages of that day.';

COMMENT ON COLUMN analytics.conversation_days.is_started IS 'Whether its first message is of that day.';

COMMENT ON COLUMN analytics.conversation_days.is_closed IS 'Whether it was closed on that day.';

COMMENT ON COLUMN analytics.conversation_days.first_response_seconds IS 'Seconds to the first answer, on the day of its first message; null: on any other, or not answered.';

COMMENT ON COLUMN analytics.conversation_days.refreshed_at IS 'Start of the transaction that last wrote this row.';

CREATE TABLE analytics.identifiers (
    place text NOT NULL,
    place_id uuid NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    identifier text,
    person_id uuid,
    client_id uuid,
    CONSTRAINT identifiers_kind_check CHECK ((kind = ANY (ARRAY['email'::text, 'phone'::text, 'linkedin'::text, 'session'::text]))),
    CONSTRAINT identifiers_place_check CHECK ((place = ANY (ARRAY['person'::text, 'contact_method'::text, 'conversation'::text, 'link'::text, 'never'::text])))
);

COMMENT ON TABLE analytics.identifiers IS 'Every place where an e-mail address, a phone number or a LinkedIn profile stands, in its one canonical form. Internal.';

COMMENT ON COLUMN analytics.identifiers.place IS 'Where it stands: person, contact_method or conversation; link or never: in a contact method that somebody decided on.';

COMMENT ON COLUMN analytics.identifiers.place_id IS 'The person, the contact method, the crew''s conversation or the decision.';

COMMENT ON COLUMN analytics.identifiers.kind IS 'email, phone, linkedin, or session: the session id of a crew''s conversation, which may be any of them.';

COMMENT ON COLUMN analytics.identifiers.value IS 'As the application spells it.';

COMMENT ON COLUMN analytics.identifiers.identifier IS 'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana. Of a contact method whose value is none of these, its id, so that somebody can decide whose it is; null elsewhere.';

COMMENT ON COLUMN analytics.identifiers.person_id IS 'Who has it: the person of the record, to whom the application gave the contact method, or whom the decision names.';

COMMENT ON COLUMN analytics.identifiers.client_id IS 'That person''s client.';

CREATE VIEW analytics.identifier_holders AS
 SELECT DISTINCT place.identifier,
    place.person_id,
    place.client_id,
    (place.place = 'link'::text) AS is_decided
   FROM analytics.identifiers place
  WHERE ((place.person_id IS NOT NULL) AND (place.place <> 'never'::text) AND (NOT (EXISTS ( SELECT
           FROM analytics.identifiers never
          WHERE ((never.identifier = place.identifier) AND (never.place = 'never'::text) AND (never.person_id = place.person_id))))));

COMMENT ON VIEW analytics.identifier_holders IS 'Who holds each identifier: by their own record, by a contact method that the application gave them, or by decision; without those of whom it was decided that it never is theirs.';

COMMENT ON COLUMN analytics.identifier_holders.identifier IS 'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; or the id of a contact method without one.';

COMMENT ON COLUMN analytics.identifier_holders.person_id IS 'The person.';

COMMENT ON COLUMN analytics.identifier_holders.client_id IS 'The person''s client.';

COMMENT ON COLUMN analytics.identifier_holders.is_decided IS 'Whether by decision.';

CREATE TABLE app.message_recipients (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    message_id uuid NOT NULL,
    contact_method_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT message_recipients_role_check CHECK ((role = ANY (ARRAY['from'::text, 'to'::text, 'cc'::text, 'bcc'::text])))
);

CREATE TABLE app.messages (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    conversation_id uuid NOT NULL,
    external_id text,
    direction text NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT messages_direction_check CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text])))
);

CREATE VIEW analytics.conversation_people AS
 SELECT participant.conversation_id,
    person.id AS person_id,
        CASE place.place
            WHEN 'contact_method'::text THEN 'recipient'::text
            ELSE 'session'::text
        END AS via,
        CASE place.place
            WHEN 'contact_method'::text THEN place.place_id
            ELSE NULL::uuid
        END AS contact_method_id,
    named.method,
    analytics.confidence_of(named.method) AS confidence,
    ((named.method <> 'manual'::text) AND (EXISTS ( SELECT
           FROM analytics.identifier_holders other
          WHERE ((other.identifier = place.identifier) AND (other.client_id <> owner.client_id))))) AS is_narrowed
   FROM (((((( SELECT DISTINCT message.conversation_id,
            'contact_method'::text AS place,
            recipient.contact_method_id AS place_id
           FROM (app.messages message
             JOIN app.message_recipients recipient ON ((recipient.message_id = message.id)))
        UNION ALL
         SELECT conversations.id,
            'conversation'::text,
            conversations.id
           FROM app.conversations
          WHERE (conversations.crew_id IS NOT NULL)) participant
     JOIN analytics.conversation_owners owner ON ((owner.conversation_id = participant.conversation_id)))
     JOIN analytics.identifiers place ON (((place.place_id = participant.place_id) AND (place.place = participant.place))))
     CROSS JOIN LATERAL analytics.holder_of(
        CASE
            WHEN (place.person_id IS NULL) THEN place.identifier
            ELSE NULL::text
        END, owner.client_id) holder(person_id, is_decided, candidate_count))
     JOIN app.people person ON ((person.id = COALESCE(place.person_id, holder.person_id))))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (place.person_id IS NOT NULL) THEN 'manual'::text
                    WHEN holder.is_decided THEN 'decision'::text
                    ELSE analytics.kind_of(place.identifier)
                END AS method) named);

COMMENT ON VIEW analytics.conversation_people IS 'Who is in a conversation, and why: a contact method of theirs, or resolved to be theirs, is recipient of a message, in any role, or its session id names them. What is decided or matched never takes a conversation that belongs to one client to a person of another; what the application sets does. Ask for some conversations: of all, it reads every message.';

COMMENT ON COLUMN analytics.conversation_people.conversation_id IS 'The conversation.';

COMMENT ON COLUMN analytics.conversation_people.person_id IS 'The person.';

COMMENT ON COLUMN analytics.conversation_people.via IS 'recipient, or session: what names them.';

COMMENT ON COLUMN analytics.conversation_people.contact_method_id IS 'The recipient''s contact method; null: the session id.';

COMMENT ON COLUMN analytics.conversation_people.method IS 'manual: the application says whose it is; decision: somebody decided; email, phone, linkedin: the identifier that matched.';

COMMENT ON COLUMN analytics.conversation_people.confidence IS 'How sure that is, from 0 to 1.';

COMMENT ON COLUMN analytics.conversation_people.is_narrowed IS 'Whether persons of other clients have the identifier too, so that it is the conversation''s client that tells who is meant.';

CREATE TABLE analytics.conversation_summaries (
    conversation_id uuid NOT NULL,
    source text NOT NULL,
    channel text NOT NULL,
    client_id uuid,
    crew_id uuid,
    session_id text,
    project_id uuid,
    message_count bigint NOT NULL,
    inbound_count bigint NOT NULL,
    outbound_count bigint NOT NULL,
    participant_count bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    duration_seconds double precision NOT NULL,
    first_response_seconds double precision,
    closed_at timestamp with time zone,
    refreshed_at timestamp with time zone DEFAULT now() NOT NULL,
    lead_id uuid,
    customer_id uuid,
    CONSTRAINT conversation_summaries_source_check CHECK ((source = ANY (ARRAY['histories'::text, 'messages'::text])))
);

COMMENT ON TABLE analytics.conversation_summaries IS 'One row per conversation that has a message, whatever its source: a crew''s sessions or app.messages.';

COMMENT ON COLUMN analytics.conversation_summaries.conversation_id IS 'The conversation in app.conversations.';

COMMENT ON COLUMN analytics.conversation_summaries.source IS 'Where the messages are: histories (the crew''s histories table) or messages (app.messages).';

COMMENT ON COLUMN analytics.conversation_summaries.channel IS 'email, whatsapp, linkedin, chat or crew.';

COMMENT ON COLUMN analytics.conversation_summaries.client_id IS 'The client the conversation belongs to: the one it names, else its crew''s.';

COMMENT ON COLUMN analytics.conversation_summaries.crew_id IS 'The crew, for a crew''s session.';

COMMENT ON COLUMN analytics.conversation_summaries.session_id IS 'The session, for a crew''s session.';

COMMENT ON COLUMN analytics.conversation_summaries.project_id IS 'The project the conversation names.';

COMMENT ON COLUMN analytics.conversation_summaries.message_count IS 'All messages.';

COMMENT ON COLUMN analytics.conversation_summaries.inbound_count IS 'Inbound messages; human ones in a session.';

COMMENT ON COLUMN analytics.conversation_summaries.outbound_count IS 'Outbound messages; ai ones in a session.';

COMMENT ON COLUMN analytics.conversation_summaries.participant_count IS 'Distinct contact methods among the recipients (from, to, cc, bcc); in a session, how many of human and ai wrote.';

COMMENT ON COLUMN analytics.conversation_summaries.started_at IS 'Time of the first message.';

COMMENT ON COLUMN analytics.conversation_summaries.ended_at IS 'Time of the last message so far.';

COMMENT ON COLUMN analytics.conversation_summaries.duration_seconds IS 'Seconds from started_at to ended_at.';

COMMENT ON COLUMN analytics.conversation_summaries.first_response_seconds IS 'Seconds from the first inbound message to the first outbound one that is not earlier; null while unanswered.';

COMMENT ON COLUMN analytics.conversation_summaries.closed_at IS 'When the application closed the conversation.';

COMMENT ON COLUMN analytics.conversation_summaries.refreshed_at IS 'Start of the transaction that last wrote this row.';

COMMENT ON COLUMN analytics.conversation_summaries.lead_id IS 'The lead that the conversation names.';

COMMENT ON COLUMN analytics.conversation_summaries.customer_id IS 'The customer that the conversation names.';

CREATE TABLE analytics.project_conversations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    project_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    added_at timestamp with time zone NOT NULL,
    added_by uuid
);

COMMENT ON TABLE analytics.project_conversations IS 'The project of each conversation that names one, from app.conversations.project_id.';

COMMENT ON COLUMN analytics.project_conversations.id IS 'Key of the link.';

COMMENT ON COLUMN analytics.project_conversations.project_id IS 'The project in app.projects.';

COMMENT ON COLUMN analytics.project_conversations.conversation_id IS 'The conversation; it has one project at most.';

COMMENT ON COLUMN analytics.project_conversations.added_at IS 'When the conversation came to the project, as far as its own times tell: created_at where no tick saw it come, else the updated_at that the tick found.';

COMMENT ON COLUMN analytics.project_conversations.added_by IS 'The user the project belonged to when the link was written: not who made it. Null: that user is deleted.';

CREATE VIEW analytics.conversations_per_project AS
 SELECT project_conversations.project_id,
    count(*) AS conversations,
    max(project_conversations.added_at) AS last_added_at
   FROM analytics.project_conversations
  GROUP BY project_conversations.project_id;

COMMENT ON VIEW analytics.conversations_per_project IS 'How many conversations each project has; none: no row.';

COMMENT ON COLUMN analytics.conversations_per_project.project_id IS 'The project.';

COMMENT ON COLUMN analytics.conversations_per_project.conversations IS 'How many conversations name it.';

COMMENT ON COLUMN analytics.conversations_per_project.last_added_at IS 'When the last of them was added.';

CREATE TABLE analytics.crew_activity_daily (
    crew_id uuid NOT NULL,
    activity_date date NOT NULL,
    crew_code text NOT NULL,
    crew_name text NOT NULL,
    client_id uuid NOT NULL,
    sessions bigint NOT NULL,
    messages bigint NOT NULL,
    human_messages bigint NOT NULL,
    ai_messages bigint NOT NULL,
    first_response_median_seconds double precision,
    refreshed_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE analytics.crew_activity_daily IS 'What each crew did on each UTC day: one row per crew and day with messages.';

COMMENT ON COLUMN analytics.crew_activity_daily.crew_id IS 'The crew.';

COMMENT ON COLUMN analytics.crew_activity_daily.activity_date IS 'UTC day.';

COMMENT ON COLUMN analytics.crew_activity_daily.crew_code IS 'The crew''s code.';

COMMENT ON COLUMN analytics.crew_activity_daily.crew_name IS 'The crew''s name.';

COMMENT ON COLUMN analytics.crew_activity_daily.client_id IS 'The crew''s client now.';

COMMENT ON COLUMN analytics.crew_activity_daily.sessions IS 'Sessions with a message on that day.';

COMMENT ON COLUMN analytics.crew_activity_daily.messages IS 'Messages of any type.';

COMMENT ON COLUMN analytics.crew_activity_daily.human_messages IS 'Messages of type human.';

COMMENT ON COLUMN analytics.crew_activity_daily.ai_messages IS 'Messages of type ai.';

COMMENT ON COLUMN analytics.crew_activity_daily.first_response_median_seconds IS 'Exact median seconds from a session''s first human message of the day to the first ai message after it; null if none was answered.';

COMMENT ON COLUMN analytics.crew_activity_daily.refreshed_at IS 'Start of the transaction that last wrote this row.';

CREATE TABLE analytics.crew_discovery_state (
    crew_id uuid NOT NULL,
    histories_table_name text NOT NULL,
    is_discovered boolean DEFAULT true NOT NULL,
    mode text DEFAULT 'captured'::text NOT NULL,
    last_run_at timestamp with time zone,
    last_success_at timestamp with time zone,
    last_duration_ms bigint,
    sessions_scanned bigint DEFAULT 0 NOT NULL,
    conversations_created bigint DEFAULT 0 NOT NULL,
    consecutive_failures integer DEFAULT 0 NOT NULL,
    last_error text,
    last_warning text,
    client_id uuid,
    CONSTRAINT crew_discovery_state_mode_check CHECK ((mode = ANY (ARRAY['captured'::text, 'window'::text])))
);

COMMENT ON TABLE analytics.crew_discovery_state IS 'How each crew''s discovery fares.';

COMMENT ON COLUMN analytics.crew_discovery_state.crew_id IS 'The crew.';

COMMENT ON COLUMN analytics.crew_discovery_state.histories_table_name IS 'The table it was last read from.';

COMMENT ON COLUMN analytics.crew_discovery_state.is_discovered IS 'Whether it and its client were active at the last look; switched on again, it is read from the start.';

COMMENT ON COLUMN analytics.crew_discovery_state.mode IS 'captured: its changes are logged; window: the last two days at each tick, the rest nightly.';

COMMENT ON COLUMN analytics.crew_discovery_state.last_run_at IS 'Start of the last run that worked on the crew.';

COMMENT ON COLUMN analytics.crew_discovery_state.last_success_at IS 'End of the last run that succeeded for the crew.';

COMMENT ON COLUMN analytics.crew_discovery_state.last_duration_ms IS 'Milliseconds the last run spent on the crew.';

COMMENT ON COLUMN analytics.crew_discovery_state.sessions_scanned IS 'Session-days recomputed so far.';

COMMENT ON COLUMN analytics.crew_discovery_state.conversations_created IS 'Rows given to app.conversations so far.';

COMMENT ON COLUMN analytics.crew_discovery_state.consecutive_failures IS 'Failed runs since the last success.';

COMMENT ON COLUMN analytics.crew_discovery_state.last_error IS 'Why the last run failed; null after a success.';

COMMENT ON COLUMN analytics.crew_discovery_state.last_warning IS 'What the last run wants somebody to look at.';

COMMENT ON COLUMN analytics.crew_discovery_state.client_id IS 'Its client at the last look.';

CREATE VIEW analytics.crew_names AS
 SELECT crews.id AS crew_id,
    crews.crew_code,
    crews.name AS crew_name,
    crews.client_id,
    crews.is_active
   FROM app.crews;

COMMENT ON VIEW analytics.crew_names IS 'What each crew is called.';

COMMENT ON COLUMN analytics.crew_names.crew_id IS 'The crew.';

COMMENT ON COLUMN analytics.crew_names.crew_code IS 'Its code.';

COMMENT ON COLUMN analytics.crew_names.crew_name IS 'Its name.';

COMMENT ON COLUMN analytics.crew_names.client_id IS 'Its client now.';

COMMENT ON COLUMN analytics.crew_names.is_active IS 'Whether it is read.';

CREATE VIEW analytics.customer_conversations AS
 SELECT conversation_summaries.customer_id,
    conversation_summaries.conversation_id,
    conversation_summaries.channel,
    conversation_summaries.client_id,
    conversation_summaries.crew_id,
    conversation_summaries.project_id,
    conversation_summaries.started_at,
    conversation_summaries.ended_at,
    conversation_summaries.closed_at,
    conversation_summaries.message_count,
    conversation_summaries.inbound_count,
    conversation_summaries.outbound_count,
    conversation_summaries.first_response_seconds
   FROM analytics.conversation_summaries
  WHERE (conversation_summaries.customer_id IS NOT NULL);

COMMENT ON VIEW analytics.customer_conversations IS 'The conversations with messages that name a customer; order them by started_at.';

COMMENT ON COLUMN analytics.customer_conversations.customer_id IS 'The customer.';

COMMENT ON COLUMN analytics.customer_conversations.conversation_id IS 'The conversation.';

COMMENT ON COLUMN analytics.customer_conversations.channel IS 'email, whatsapp, linkedin, chat or crew.';

COMMENT ON COLUMN analytics.customer_conversations.client_id IS 'Whose conversation it is.';

COMMENT ON COLUMN analytics.customer_conversations.crew_id IS 'The crew, if it is a crew''s.';

COMMENT ON COLUMN analytics.customer_conversations.project_id IS 'The project that it names.';

COMMENT ON COLUMN analytics.customer_conversations.started_at IS 'Time of the first message.';

COMMENT ON COLUMN analytics.customer_conversations.ended_at IS 'Time of the last message so far.';

COMMENT ON COLUMN analytics.customer_conversations.closed_at IS 'When it was closed; null while it is open.';

COMMENT ON COLUMN analytics.customer_conversations.message_count IS 'All messages.';

COMMENT ON COLUMN analytics.customer_conversations.inbound_count IS 'Messages from outside.';

COMMENT ON COLUMN analytics.customer_conversations.outbound_count IS 'Messages to outside.';

COMMENT ON COLUMN analytics.customer_conversations.first_response_seconds IS 'Seconds to the first answer; null while unanswered.';

CREATE TABLE analytics.deleted_conversations (
    crew_id uuid NOT NULL,
    session_id text NOT NULL,
    deleted_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE analytics.deleted_conversations IS 'Sessions whose conversation the application deleted: they get none again until new messages come.';

COMMENT ON COLUMN analytics.deleted_conversations.crew_id IS 'The crew.';

COMMENT ON COLUMN analytics.deleted_conversations.session_id IS 'The session.';

COMMENT ON COLUMN analytics.deleted_conversations.deleted_at IS 'When the conversation was deleted.';

CREATE TABLE analytics.refresh_state (
    asset_key text NOT NULL,
    follows text[] NOT NULL,
    snapshot pg_snapshot,
    snapshot_at timestamp with time zone,
    building pg_snapshot,
    building_at timestamp with time zone,
    written_by xid8 DEFAULT pg_current_xact_id() NOT NULL,
    lease_holder text,
    lease_until timestamp with time zone,
    last_run_at timestamp with time zone,
    last_success_at timestamp with time zone
);

COMMENT ON TABLE analytics.refresh_state IS 'How far each derived table has accounted for the change logs.';

COMMENT ON COLUMN analytics.refresh_state.asset_key IS 'The table.';

COMMENT ON COLUMN analytics.refresh_state.follows IS 'The tables whose changes it reads, or of which only some operations: conversations delete.';

COMMENT ON COLUMN analytics.refresh_state.snapshot IS 'The watermark: every transaction visible in it has been accounted for; null until the table has been built.';

COMMENT ON COLUMN analytics.refresh_state.snapshot_at IS 'When the snapshot was taken.';

COMMENT ON COLUMN analytics.refresh_state.building IS 'The snapshot that becomes the watermark once the first build has ended; logs are kept from it on.';

COMMENT ON COLUMN analytics.refresh_state.building_at IS 'When that snapshot was taken.';

COMMENT ON COLUMN analytics.refresh_state.written_by IS 'The transaction that wrote this row; where it is not the row''s own xmin, the row was restored from another server.';

COMMENT ON COLUMN analytics.refresh_state.lease_holder IS 'Who is at work on a tick of the table; null: nobody.';

COMMENT ON COLUMN analytics.refresh_state.lease_until IS 'Until when, unless renewed: a dead holder''s lease ends by itself.';

COMMENT ON COLUMN analytics.refresh_state.last_run_at IS 'When the last tick began.';

COMMENT ON COLUMN analytics.refresh_state.last_success_at IS 'When a tick last ended well.';

CREATE VIEW analytics.freshness AS
 SELECT state.asset_key AS table_name,
        CASE
            WHEN (waiting.changes = 0) THEN now()
            ELSE state.snapshot_at
        END AS as_of,
    waiting.changes AS changes_waiting,
    waiting.oldest AS waiting_since,
    state.last_success_at
   FROM (analytics.refresh_state state
     CROSS JOIN LATERAL ( SELECT count(*) AS changes,
            min(change.logged_at) AS oldest
           FROM analytics.changes change
          WHERE (analytics.is_new(change.xid, state.snapshot, pg_current_snapshot()) AND ((change.source = ANY (state.follows)) OR (((change.source || ' '::text) || change.operation) = ANY (state.follows))))) waiting);

COMMENT ON VIEW analytics.freshness IS 'As of when each table is right: everything committed before as_of is in it.';

COMMENT ON COLUMN analytics.freshness.table_name IS 'The table in analytics.';

COMMENT ON COLUMN analytics.freshness.as_of IS 'Everything committed before is accounted for, as far as the tables it is derived from have it; null: not built yet.';

COMMENT ON COLUMN analytics.freshness.changes_waiting IS 'Logged changes that the next tick will read.';

COMMENT ON COLUMN analytics.freshness.waiting_since IS 'When the oldest of them was made; null: none waits.';

COMMENT ON COLUMN analytics.freshness.last_success_at IS 'When a tick of the table last ended well.';

CREATE TABLE curation.participant_decisions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    contact_method_id uuid NOT NULL,
    person_id uuid NOT NULL,
    decision text NOT NULL,
    reason text NOT NULL,
    decided_by text DEFAULT SESSION_USER NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_by text,
    revoked_at timestamp with time zone,
    CONSTRAINT participant_decisions_check CHECK (((revoked_by IS NULL) = (revoked_at IS NULL))),
    CONSTRAINT participant_decisions_decision_check CHECK ((decision = ANY (ARRAY['link'::text, 'never'::text]))),
    CONSTRAINT participant_decisions_reason_check CHECK ((reason <> ''::text))
);

COMMENT ON TABLE curation.participant_decisions IS 'Whose contact methods are, and are not, by somebody''s decision. It is revoked (set revoked_at), never changed or deleted.';

COMMENT ON COLUMN curation.participant_decisions.id IS 'The decision.';

COMMENT ON COLUMN curation.participant_decisions.contact_method_id IS 'The contact method in app.contact_methods; whatever has the same identifier is meant, too.';

COMMENT ON COLUMN curation.participant_decisions.person_id IS 'The person in app.people.';

COMMENT ON COLUMN curation.participant_decisions.decision IS 'link: it is theirs, whatever else matches; never: it is not, though it match. The application''s own word outranks both.';

COMMENT ON COLUMN curation.participant_decisions.reason IS 'Why.';

COMMENT ON COLUMN curation.participant_decisions.decided_by IS 'By whom.';

COMMENT ON COLUMN curation.participant_decisions.decided_at IS 'When.';

COMMENT ON COLUMN curation.participant_decisions.revoked_by IS 'Who revoked it; null: it is in force.';

COMMENT ON COLUMN curation.participant_decisions.revoked_at IS 'When it was revoked; null: it is in force.';

CREATE VIEW analytics.identifier_places AS
 SELECT 'person'::text AS place,
    person.id AS place_id,
    given.kind,
    given.value,
    NULL::text AS otherwise,
    person.id AS person_id,
    person.client_id
   FROM (app.people person
     CROSS JOIN LATERAL ( VALUES ('email'::text,person.email), ('phone'::text,person.phone), ('linkedin'::text,person.linkedin_urn)) given(kind, value))
  WHERE (given.value IS NOT NULL)
UNION ALL
 SELECT decision.decision AS place,
    decision.id AS place_id,
    contact.kind,
    contact.value,
    (contact.id)::text AS otherwise,
    person.id AS person_id,
    person.client_id
   FROM ((curation.participant_decisions decision
     JOIN app.contact_methods contact ON ((contact.id = decision.contact_method_id)))
     JOIN app.people person ON ((person.id = decision.person_id)))
  WHERE (decision.revoked_at IS NULL)
UNION ALL
 SELECT 'contact_method'::text AS place,
    contact.id AS place_id,
    contact.kind,
    contact.value,
    (contact.id)::text AS otherwise,
    person.id AS person_id,
    person.client_id
   FROM (app.contact_methods contact
     LEFT JOIN app.people person ON ((person.id = contact.person_id)))
UNION ALL
 SELECT 'conversation'::text AS place,
    conversations.id AS place_id,
    'session'::text AS kind,
    conversations.session_id AS value,
    NULL::text AS otherwise,
    NULL::uuid AS person_id,
    NULL::uuid AS client_id
   FROM app.conversations
  WHERE ((conversations.crew_id IS NOT NULL) AND (conversations.session_id ~* '@|^\s*urn:li:|linkedin\.com/|^\s*[+(0-9][-+0-9 ()./]{5,30}$'::text));

COMMENT ON VIEW analytics.identifier_places IS 'What analytics.identifiers should hold of the application''s tables as they are now, not yet in canonical form. Internal.';

COMMENT ON COLUMN analytics.identifier_places.place IS 'person, contact_method, conversation, or of a decision: link, never.';

COMMENT ON COLUMN analytics.identifier_places.place_id IS 'The person, the contact method, the crew''s conversation or the decision.';

COMMENT ON COLUMN analytics.identifier_places.kind IS 'email, phone, linkedin or session.';

COMMENT ON COLUMN analytics.identifier_places.value IS 'As the application spells it.';

COMMENT ON COLUMN analytics.identifier_places.otherwise IS 'What stands for the identifier if value is none.';

COMMENT ON COLUMN analytics.identifier_places.person_id IS 'Who has it, where the application or a decision says so.';

COMMENT ON COLUMN analytics.identifier_places.client_id IS 'That person''s client.';

CREATE VIEW analytics.lead_conversations AS
 SELECT conversation_summaries.lead_id,
    conversation_summaries.conversation_id,
    conversation_summaries.channel,
    conversation_summaries.client_id,
    conversation_summaries.crew_id,
    conversation_summaries.project_id,
    conversation_summaries.started_at,
    conversation_summaries.ended_at,
    conversation_summaries.closed_at,
    conversation_summaries.message_count,
    conversation_summaries.inbound_count,
    conversation_summaries.outbound_count,
    conversation_summaries.first_response_seconds
   FROM analytics.conversation_summaries
  WHERE (conversation_summaries.lead_id IS NOT NULL);

COMMENT ON VIEW analytics.lead_conversations IS 'The conversations with messages that name a lead; order them by started_at.';

COMMENT ON COLUMN analytics.lead_conversations.lead_id IS 'The lead.';

COMMENT ON COLUMN analytics.lead_conversations.conversation_id IS 'The conversation.';

COMMENT ON COLUMN analytics.lead_conversations.channel IS 'email, whatsapp, linkedin, chat or crew.';

COMMENT ON COLUMN analytics.lead_conversations.client_id IS 'Whose conversation it is.';

COMMENT ON COLUMN analytics.lead_conversations.crew_id IS 'The crew, if it is a crew''s.';

COMMENT ON COLUMN analytics.lead_conversations.project_id IS 'The project that it names.';

COMMENT ON COLUMN analytics.lead_conversations.started_at IS 'Time of the first message.';

COMMENT ON COLUMN analytics.lead_conversations.ended_at IS 'Time of the last message so far.';

COMMENT ON COLUMN analytics.lead_conversations.closed_at IS 'When it was closed; null while it is open.';

COMMENT ON COLUMN analytics.lead_conversations.message_count IS 'All messages.';

COMMENT ON COLUMN analytics.lead_conversations.inbound_count IS 'Messages from outside.';

COMMENT ON COLUMN analytics.lead_conversations.outbound_count IS 'Messages to outside.';

COMMENT ON COLUMN analytics.lead_conversations.first_response_seconds IS 'Seconds to the first answer; null while unanswered.';

CREATE VIEW analytics.lead_open_conversations AS
 SELECT conversation.lead_id,
    conversation.id AS conversation_id,
    conversation.channel,
    owner.client_id,
    conversation.crew_id,
    conversation.project_id,
    conversation.started_at,
    summary.ended_at,
    COALESCE(summary.message_count, (0)::bigint) AS message_count,
    COALESCE(summary.inbound_count, (0)::bigint) AS inbound_count,
    COALESCE(summary.outbound_count, (0)::bigint) AS outbound_count,
    summary.first_response_seconds
   FROM ((app.conversations conversation
     JOIN analytics.conversation_owners owner ON ((owner.conversation_id = conversation.id)))
     LEFT JOIN analytics.conversation_summaries summary ON ((summary.conversation_id = conversation.id)))
  WHERE ((conversation.lead_id IS NOT NULL) AND (conversation.closed_at IS NULL));

COMMENT ON VIEW analytics.lead_open_conversations IS 'The open conversation of each lead, whether it has messages or not: at most one, which a unique index sees to.';

COMMENT ON COLUMN analytics.lead_open_conversations.lead_id IS 'The lead.';

COMMENT ON COLUMN analytics.lead_open_conversations.conversation_id IS 'The conversation.';

COMMENT ON COLUMN analytics.lead_open_conversations.channel IS 'email, whatsapp, linkedin, chat or crew.';

COMMENT ON COLUMN analytics.lead_open_conversations.client_id IS 'Whose conversation it is.';

COMMENT ON COLUMN analytics.lead_open_conversations.crew_id IS 'The crew, if it is a crew''s.';

COMMENT ON COLUMN analytics.lead_open_conversations.project_id IS 'The project that it names.';

COMMENT ON COLUMN analytics.lead_open_conversations.started_at IS 'When it was started.';

COMMENT ON COLUMN analytics.lead_open_conversations.ended_at IS 'Time of the last message so far.';

COMMENT ON COLUMN analytics.lead_open_conversations.message_count IS 'All messages.';

COMMENT ON COLUMN analytics.lead_open_conversations.inbound_count IS 'Messages from outside.';

COMMENT ON COLUMN analytics.lead_open_conversations.outbound_count IS 'Messages to outside.';

COMMENT ON COLUMN analytics.lead_open_conversations.first_response_seconds IS 'Seconds to the first answer; null while unanswered.';

CREATE VIEW analytics.missing_app_indexes AS
 SELECT wanted.table_name,
    wanted.column_name,
    format('create index concurrently on app.%I using %s (%I)'::text, wanted.table_name, wanted.method, wanted.column_name) AS run_this
   FROM ( VALUES ('conversations'::text,'started_at'::text,'btree'::text), ('messages'::text,'sent_at'::text,'btree'::text), ('messages'::text,'conversation_id'::text,'btree'::text), ('message_recipients'::text,'message_id'::text,'btree'::text), ('message_recipients'::text,'contact_method_id'::text,'btree'::text), ('projects'::text,'conversation_ids'::text,'gin'::text)) wanted(table_name, column_name, method)
  WHERE ((EXISTS ( SELECT
           FROM ((pg_attribute a
             JOIN pg_class t ON ((t.oid = a.attrelid)))
             JOIN pg_namespace n ON ((n.oid = t.relnamespace)))
          WHERE ((n.nspname = 'app'::name) AND (t.relname = wanted.table_name) AND (a.attname = wanted.column_name)))) AND (NOT (EXISTS ( SELECT
           FROM (((((pg_index i
             JOIN pg_class c ON ((c.oid = i.indexrelid)))
             JOIN pg_class t ON ((t.oid = i.indrelid)))
             JOIN pg_namespace n ON ((n.oid = t.relnamespace)))
             JOIN pg_am am ON ((am.oid = c.relam)))
             JOIN pg_attribute a ON (((a.attrelid = i.indrelid) AND (a.attnum = i.indkey[0]))))
          WHERE (i.indisvalid AND (i.indpred IS NULL) AND (n.nspname = 'app'::name) AND (t.relname = wanted.table_name) AND (a.attname = wanted.column_name) AND (am.amname = wanted.method))))));

COMMENT ON VIEW analytics.missing_app_indexes IS 'Columns of app that ticks and backfills read by, but that lead no valid index.';

COMMENT ON COLUMN analytics.missing_app_indexes.table_name IS 'The table in app.';

COMMENT ON COLUMN analytics.missing_app_indexes.column_name IS 'The column.';

COMMENT ON COLUMN analytics.missing_app_indexes.run_this IS 'The statement that helps.';

CREATE TABLE analytics.oddities (
    asset_key text NOT NULL,
    crew_id uuid,
    kind text NOT NULL,
    rows bigint NOT NULL,
    example text,
    remedy text NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY analytics.oddities REPLICA IDENTITY FULL;

COMMENT ON TABLE analytics.oddities IS 'Rows of the application that are left out or read otherwise than written, by table, crew and kind. What a tick meets is noted; the nightly reconcile counts them all, and drops what is no longer there.';

COMMENT ON COLUMN analytics.oddities.asset_key IS 'The derived table that met them.';

COMMENT ON COLUMN analytics.oddities.crew_id IS 'The crew; null: the table is not read per crew.';

COMMENT ON COLUMN analytics.oddities.kind IS 'What is odd about them.';

COMMENT ON COLUMN analytics.oddities.rows IS 'How many: after a reconcile all there are, later at least so many.';

COMMENT ON COLUMN analytics.oddities.example IS 'The key of one of them.';

COMMENT ON COLUMN analytics.oddities.remedy IS 'What to do about them.';

COMMENT ON COLUMN analytics.oddities.first_seen_at IS 'When the first was met.';

COMMENT ON COLUMN analytics.oddities.last_seen_at IS 'When the last was met.';

CREATE TABLE analytics.participant_resolutions (
    contact_method_id uuid NOT NULL,
    person_id uuid,
    status text NOT NULL,
    method text,
    confidence numeric(3,2),
    candidate_count bigint NOT NULL,
    resolved_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT participant_resolutions_method_check CHECK ((method = ANY (ARRAY['manual'::text, 'decision'::text, 'email'::text, 'phone'::text, 'linkedin'::text]))),
    CONSTRAINT participant_resolutions_status_check CHECK ((status = ANY (ARRAY['resolved'::text, 'ambiguous'::text, 'unmatched'::text, 'invalid'::text])))
);

COMMENT ON TABLE analytics.participant_resolutions IS 'Whose each contact method is: one row per contact method.';

COMMENT ON COLUMN analytics.participant_resolutions.contact_method_id IS 'The contact method in app.contact_methods.';

COMMENT ON COLUMN analytics.participant_resolutions.person_id IS 'The person, if the status is resolved; else null.';

COMMENT ON COLUMN analytics.participant_resolutions.status IS 'resolved: exactly one person; ambiguous: several have this identifier, of whom a conversation''s client may leave one; unmatched: nobody has; invalid: it is none.';

COMMENT ON COLUMN analytics.participant_resolutions.method IS 'manual: set by the application; decision: by somebody''s decision; email, phone, linkedin: matched by that identifier; null if not resolved.';

COMMENT ON COLUMN analytics.participant_resolutions.confidence IS '1.00 manual and decision, 0.95 email, 0.90 phone, 0.85 linkedin; null if not resolved.';

COMMENT ON COLUMN analytics.participant_resolutions.candidate_count IS 'Persons that have this identifier, in their own record, by a contact method the application gave them, or by decision.';

COMMENT ON COLUMN analytics.participant_resolutions.resolved_at IS 'When this row last changed.';

CREATE VIEW analytics.person_names AS
 SELECT people.id AS person_id,
    people.client_id,
    people.name AS person_name,
    people.email,
    people.phone,
    people.linkedin_urn
   FROM app.people;

COMMENT ON VIEW analytics.person_names IS 'Who each person is. Personal data.';

COMMENT ON COLUMN analytics.person_names.person_id IS 'The person.';

COMMENT ON COLUMN analytics.person_names.client_id IS 'The person''s client.';

COMMENT ON COLUMN analytics.person_names.person_name IS 'The person''s name.';

COMMENT ON COLUMN analytics.person_names.email IS 'E-mail address in the person''s record.';

COMMENT ON COLUMN analytics.person_names.phone IS 'Phone number in the person''s record.';

COMMENT ON COLUMN analytics.person_names.linkedin_urn IS 'LinkedIn profile in the person''s record.';

CREATE VIEW analytics.person_timeline AS
 SELECT link.person_id,
    person.name AS person_name,
    person.client_id,
    link.conversation_id,
    summary.channel,
    conversation.subject,
    summary.started_at,
    summary.ended_at,
    summary.message_count,
    summary.first_response_seconds,
    summary.closed_at
   FROM (((analytics.people_conversations link
     JOIN app.people person ON ((person.id = link.person_id)))
     JOIN app.conversations conversation ON ((conversation.id = link.conversation_id)))
     JOIN analytics.conversation_summaries summary ON ((summary.conversation_id = link.conversation_id)));

COMMENT ON VIEW analytics.person_timeline IS 'The conversations each person is in; order it by started_at.';

COMMENT ON COLUMN analytics.person_timeline.person_id IS 'The person.';

COMMENT ON COLUMN analytics.person_timeline.person_name IS 'The person''s name.';

COMMENT ON COLUMN analytics.person_timeline.client_id IS 'The person''s client.';

COMMENT ON COLUMN analytics.person_timeline.conversation_id IS 'The conversation.';

COMMENT ON COLUMN analytics.person_timeline.channel IS 'email, whatsapp, linkedin, chat or crew.';

COMMENT ON COLUMN analytics.person_timeline.subject IS 'The subject, of an e-mail thread.';

COMMENT ON COLUMN analytics.person_timeline.started_at IS 'Time of the first message.';

COMMENT ON COLUMN analytics.person_timeline.ended_at IS 'Time of the last message so far.';

COMMENT ON COLUMN analytics.person_timeline.message_count IS 'All messages.';

COMMENT ON COLUMN analytics.person_timeline.first_response_seconds IS 'Seconds to the first answer; null while unanswered.';

COMMENT ON COLUMN analytics.person_timeline.closed_at IS 'When it was closed; null while it is open.';

CREATE TABLE analytics.project_link_inconsistencies (
    project_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    kind text NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    named_project_id uuid,
    CONSTRAINT project_link_inconsistencies_kind_check CHECK ((kind = ANY (ARRAY['stale_id'::text, 'project_mismatch'::text, 'missing_from_array'::text])))
);

COMMENT ON TABLE analytics.project_link_inconsistencies IS 'Where the deprecated app.projects.conversation_ids disagrees with app.conversations.project_id, as of now.';

COMMENT ON COLUMN analytics.project_link_inconsistencies.project_id IS 'The project with the array.';

COMMENT ON COLUMN analytics.project_link_inconsistencies.conversation_id IS 'The conversation, which need not exist.';

COMMENT ON COLUMN analytics.project_link_inconsistencies.kind IS 'stale_id: in the array, but there is no such conversation; project_mismatch: in the array, but the conversation names another project or none; missing_from_array: the conversation names the project, the array lacks it.';

COMMENT ON COLUMN analytics.project_link_inconsistencies.first_seen_at IS 'When a refresh first found it.';

COMMENT ON COLUMN analytics.project_link_inconsistencies.last_seen_at IS 'When a refresh last looked and it was there.';

COMMENT ON COLUMN analytics.project_link_inconsistencies.named_project_id IS 'The project that the conversation names; null: it names none, or does not exist.';

CREATE TABLE app.projects (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    conversation_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE VIEW analytics.project_names AS
 SELECT projects.id AS project_id,
    projects.name AS project_name,
    projects.user_id
   FROM app.projects;

COMMENT ON VIEW analytics.project_names IS 'What each project is called.';

COMMENT ON COLUMN analytics.project_names.project_id IS 'The project.';

COMMENT ON COLUMN analytics.project_names.project_name IS 'Its name.';

COMMENT ON COLUMN analytics.project_names.user_id IS 'Whose it is.';

CREATE TABLE app.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE VIEW analytics.projects_this_week AS
 SELECT link.project_id,
    project.name AS project_name,
    link.conversation_id,
    conversation.channel,
    conversation.subject,
    link.added_at,
    link.added_by,
    owner.name AS added_by_name
   FROM (((analytics.project_conversations link
     JOIN app.projects project ON ((project.id = link.project_id)))
     JOIN app.conversations conversation ON ((conversation.id = link.conversation_id)))
     LEFT JOIN app.users owner ON ((owner.id = link.added_by)))
  WHERE (link.added_at >= (date_trunc('week'::text, (now() AT TIME ZONE 'UTC'::text)) AT TIME ZONE 'UTC'::text));

COMMENT ON VIEW analytics.projects_this_week IS 'Conversations that came to a project since Monday, 00:00 UTC.';

COMMENT ON COLUMN analytics.projects_this_week.project_id IS 'The project.';

COMMENT ON COLUMN analytics.projects_this_week.project_name IS 'The project''s name.';

COMMENT ON COLUMN analytics.projects_this_week.conversation_id IS 'The conversation.';

COMMENT ON COLUMN analytics.projects_this_week.channel IS 'email, whatsapp, linkedin, chat or crew.';

COMMENT ON COLUMN analytics.projects_this_week.subject IS 'The subject, of an e-mail thread.';

COMMENT ON COLUMN analytics.projects_this_week.added_at IS 'When it came to the project.';

COMMENT ON COLUMN analytics.projects_this_week.added_by IS 'The user the project belonged to then.';

COMMENT ON COLUMN analytics.projects_this_week.added_by_name IS 'That user''s name.';

CREATE TABLE analytics.schema_migrations (
    version_num character varying(32) NOT NULL
);

CREATE TABLE analytics.trim_state (
    is_the_one boolean DEFAULT true NOT NULL,
    trimmed_below xid8 NOT NULL,
    trimmed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT trim_state_is_the_one_check CHECK (is_the_one)
);

COMMENT ON TABLE analytics.trim_state IS 'How far the change logs have been trimmed: one row. Internal.';

COMMENT ON COLUMN analytics.trim_state.is_the_one IS 'Always true.';

COMMENT ON COLUMN analytics.trim_state.trimmed_below IS 'No log holds a row of an earlier transaction.';

COMMENT ON COLUMN analytics.trim_state.trimmed_at IS 'When it was found out.';

CREATE VIEW analytics.unknown_senders AS
 SELECT resolution.contact_method_id,
    contact.kind,
    resolution.status,
    count(*) AS messages
   FROM ((analytics.participant_resolutions resolution
     JOIN app.contact_methods contact ON ((contact.id = resolution.contact_method_id)))
     JOIN app.message_recipients recipient ON (((recipient.contact_method_id = resolution.contact_method_id) AND (recipient.role = 'from'::text))))
  WHERE (resolution.status <> 'resolved'::text)
  GROUP BY resolution.contact_method_id, contact.kind, resolution.status;

COMMENT ON VIEW analytics.unknown_senders IS 'Contact methods that write to us and are nobody''s for certain, and how often they do.';

COMMENT ON COLUMN analytics.unknown_senders.contact_method_id IS 'The contact method.';

COMMENT ON COLUMN analytics.unknown_senders.kind IS 'email, phone or linkedin.';

COMMENT ON COLUMN analytics.unknown_senders.status IS 'ambiguous, unmatched or invalid.';

COMMENT ON COLUMN analytics.unknown_senders.messages IS 'Messages from it.';

CREATE TABLE analytics.webhook_refreshes (
    id bigint NOT NULL,
    table_name text NOT NULL,
    sessions bigint NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint NOT NULL,
    noted_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE analytics.webhook_refreshes IS 'What the webhook did to each table, noted once a minute; rows go after a week.';

COMMENT ON COLUMN analytics.webhook_refreshes.id IS 'In the order in which it was noted.';

COMMENT ON COLUMN analytics.webhook_refreshes.table_name IS 'The derived table.';

COMMENT ON COLUMN analytics.webhook_refreshes.sessions IS 'Sessions that were asked for.';

COMMENT ON COLUMN analytics.webhook_refreshes.inserted IS 'Rows inserted for them.';

COMMENT ON COLUMN analytics.webhook_refreshes.updated IS 'Rows updated for them.';

COMMENT ON COLUMN analytics.webhook_refreshes.deleted IS 'Rows deleted for them.';

COMMENT ON COLUMN analytics.webhook_refreshes.noted_at IS 'When it was noted.';

ALTER TABLE analytics.webhook_refreshes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME analytics.webhook_refreshes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE app.schema_migrations (
    version_num character varying(32) NOT NULL
);

ALTER TABLE ONLY analytics.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (source, kind, subject);

ALTER TABLE ONLY analytics.capture_state
    ADD CONSTRAINT capture_state_pkey PRIMARY KEY (table_name);

ALTER TABLE ONLY analytics.catalog_state
    ADD CONSTRAINT catalog_state_pkey PRIMARY KEY (is_the_one);

ALTER TABLE ONLY analytics.client_activity_daily
    ADD CONSTRAINT client_activity_daily_pkey PRIMARY KEY (client_id, activity_date);

ALTER TABLE ONLY analytics.clients_conversations
    ADD CONSTRAINT clients_conversations_client_id_conversation_id_key UNIQUE (client_id, conversation_id);

ALTER TABLE ONLY analytics.clients_conversations
    ADD CONSTRAINT clients_conversations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY analytics.conversation_days
    ADD CONSTRAINT conversation_days_pkey PRIMARY KEY (conversation_id, activity_date, client_id);

ALTER TABLE ONLY analytics.conversation_summaries
    ADD CONSTRAINT conversation_summaries_pkey PRIMARY KEY (conversation_id);

ALTER TABLE ONLY analytics.crew_activity_daily
    ADD CONSTRAINT crew_activity_daily_pkey PRIMARY KEY (crew_id, activity_date);

ALTER TABLE ONLY analytics.crew_discovery_state
    ADD CONSTRAINT crew_discovery_state_pkey PRIMARY KEY (crew_id);

ALTER TABLE ONLY analytics.deleted_conversations
    ADD CONSTRAINT deleted_conversations_pkey PRIMARY KEY (crew_id, session_id);

ALTER TABLE ONLY analytics.histories_sessions
    ADD CONSTRAINT histories_sessions_pkey PRIMARY KEY (crew_id, session_id, activity_date);

ALTER TABLE ONLY analytics.identifiers
    ADD CONSTRAINT identifiers_pkey PRIMARY KEY (place_id, place, kind);

ALTER TABLE ONLY analytics.oddities
    ADD CONSTRAINT oddities_asset_key_crew_id_kind_key UNIQUE NULLS NOT DISTINCT (asset_key, crew_id, kind);

ALTER TABLE ONLY analytics.participant_resolutions
    ADD CONSTRAINT participant_resolutions_pkey PRIMARY KEY (contact_method_id);

ALTER TABLE ONLY analytics.people_conversations
    ADD CONSTRAINT people_conversations_person_id_conversation_id_key UNIQUE (person_id, conversation_id);

ALTER TABLE ONLY analytics.people_conversations
    ADD CONSTRAINT people_conversations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY analytics.project_conversations
    ADD CONSTRAINT project_conversations_conversation_id_key UNIQUE (conversation_id);

ALTER TABLE ONLY analytics.project_conversations
    ADD CONSTRAINT project_conversations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY analytics.project_link_inconsistencies
    ADD CONSTRAINT project_link_inconsistencies_pkey PRIMARY KEY (project_id, conversation_id, kind);

ALTER TABLE ONLY analytics.refresh_state
    ADD CONSTRAINT refresh_state_pkey PRIMARY KEY (asset_key);

ALTER TABLE ONLY analytics.schema_migrations
    ADD CONSTRAINT schema_migrations_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY analytics.trim_state
    ADD CONSTRAINT trim_state_pkey PRIMARY KEY (is_the_one);

ALTER TABLE ONLY analytics.webhook_refreshes
    ADD CONSTRAINT webhook_refreshes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY app.clients
    ADD CONSTRAINT clients_client_code_key UNIQUE (client_code);

ALTER TABLE ONLY app.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY app.contact_methods
    ADD CONSTRAINT contact_methods_pkey PRIMARY KEY (id);

ALTER TABLE ONLY app.conversations
    ADD CONSTRAINT conversations_crew_id_session_id_key UNIQUE (crew_id, session_id);

ALTER TABLE ONLY app.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY app.crews
    ADD CONSTRAINT crews_crew_code_key UNIQUE (crew_code);

ALTER TABLE ONLY app.crews
    ADD CONSTRAINT crews_pkey PRIMARY KEY (id);

ALTER TABLE ONLY app.message_recipients
    ADD CONSTRAINT message_recipients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY app.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY app.people
    ADD CONSTRAINT people_pkey PRIMARY KEY (id);

ALTER TABLE ONLY app.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY app.schema_migrations
    ADD CONSTRAINT schema_migrations_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY app.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY curation.participant_decisions
    ADD CONSTRAINT participant_decisions_pkey PRIMARY KEY (id);

CREATE INDEX capture_state_members ON analytics.capture_state USING gin (members);

CREATE INDEX client_activity_daily_activity_date ON analytics.client_activity_daily USING btree (activity_date);

CREATE INDEX clients_conversations_channel ON analytics.clients_conversations USING btree (client_id, channel, started_at DESC, conversation_id DESC);

CREATE INDEX clients_conversations_closed ON analytics.clients_conversations USING btree (client_id, started_at DESC, conversation_id DESC) WHERE (closed_at IS NOT NULL);

CREATE INDEX clients_conversations_conversation_id ON analytics.clients_conversations USING btree (conversation_id);

CREATE INDEX clients_conversations_crew ON analytics.clients_conversations USING btree (client_id, crew_id, started_at DESC, conversation_id DESC) WHERE (crew_id IS NOT NULL);

CREATE INDEX clients_conversations_newest ON analytics.clients_conversations USING btree (client_id, started_at DESC, conversation_id DESC);

CREATE INDEX clients_conversations_open ON analytics.clients_conversations USING btree (client_id, started_at DESC, conversation_id DESC) WHERE (closed_at IS NULL);

CREATE INDEX clients_conversations_project ON analytics.clients_conversations USING btree (client_id, project_id, started_at DESC, conversation_id DESC) WHERE (project_id IS NOT NULL);

CREATE INDEX conversation_changes_everything ON analytics.conversation_changes USING btree (xid) WHERE ((conversation_id IS NULL) AND (crew_id IS NULL));

CREATE INDEX conversation_changes_xid ON analytics.conversation_changes USING btree (xid);

CREATE INDEX conversation_days_client_id ON analytics.conversation_days USING btree (client_id, activity_date);

CREATE INDEX conversation_summaries_client ON analytics.conversation_summaries USING btree (client_id, started_at);

CREATE INDEX conversation_summaries_customer ON analytics.conversation_summaries USING btree (customer_id, started_at DESC) WHERE (customer_id IS NOT NULL);

CREATE INDEX conversation_summaries_ended_at ON analytics.conversation_summaries USING btree (ended_at);

CREATE INDEX conversation_summaries_lead ON analytics.conversation_summaries USING btree (lead_id, started_at DESC) WHERE (lead_id IS NOT NULL);

CREATE INDEX crew_activity_daily_activity_date ON analytics.crew_activity_daily USING btree (activity_date);

CREATE INDEX histories_sessions_activity_date ON analytics.histories_sessions USING btree (crew_id, activity_date);

CREATE INDEX histories_sessions_archived ON analytics.histories_sessions USING btree (crew_id, activity_date) WHERE (archived_at IS NOT NULL);

CREATE INDEX identifier_changes_everything ON analytics.identifier_changes USING btree (xid) WHERE (id IS NULL);

CREATE INDEX identifier_changes_xid ON analytics.identifier_changes USING btree (xid);

CREATE INDEX identifiers_identifier ON analytics.identifiers USING btree (identifier);

CREATE INDEX identifiers_person_id ON analytics.identifiers USING btree (person_id) WHERE (person_id IS NOT NULL);

CREATE INDEX message_changes_everything ON analytics.message_changes USING btree (xid) WHERE (message_id IS NULL);

CREATE INDEX message_changes_xid ON analytics.message_changes USING btree (xid);

CREATE INDEX participant_resolutions_person_id ON analytics.participant_resolutions USING btree (person_id);

CREATE INDEX people_conversations_conversation_id ON analytics.people_conversations USING btree (conversation_id);

CREATE INDEX project_changes_everything ON analytics.project_changes USING btree (xid) WHERE (project_id IS NULL);

CREATE INDEX project_changes_xid ON analytics.project_changes USING btree (xid);

CREATE INDEX project_conversations_added_by ON analytics.project_conversations USING btree (added_by);

CREATE INDEX project_conversations_project_id ON analytics.project_conversations USING btree (project_id, added_at);

CREATE INDEX project_link_inconsistencies_conversation_id ON analytics.project_link_inconsistencies USING btree (conversation_id);

CREATE INDEX session_changes_deletions ON analytics.session_changes USING btree (table_oid, xid) WHERE (operation = ANY (ARRAY['delete'::text, 'truncate'::text]));

CREATE INDEX session_changes_everything ON analytics.session_changes USING btree (xid) WHERE (operation = ANY (ARRAY['everything'::text, 'truncate'::text]));

CREATE INDEX session_changes_xid ON analytics.session_changes USING btree (xid);

CREATE UNIQUE INDEX conversations_one_open_per_lead ON app.conversations USING btree (lead_id) WHERE (closed_at IS NULL);

CREATE INDEX conversations_recency ON app.conversations USING btree (customer_id, started_at DESC);

CREATE INDEX conversations_started_at ON app.conversations USING btree (started_at);

CREATE INDEX message_recipients_contact_method_id ON app.message_recipients USING btree (contact_method_id);

CREATE INDEX message_recipients_message_id ON app.message_recipients USING btree (message_id);

CREATE INDEX messages_conversation_id ON app.messages USING btree (conversation_id);

CREATE INDEX messages_recency ON app.messages USING btree (conversation_id, created_at DESC);

CREATE INDEX messages_sent_at ON app.messages USING btree (sent_at);

CREATE INDEX projects_conversation_ids ON app.projects USING gin (conversation_ids);

CREATE UNIQUE INDEX participant_decisions_in_force ON curation.participant_decisions USING btree (contact_method_id, person_id) WHERE (revoked_at IS NULL);

CREATE INDEX participant_decisions_person_id ON curation.participant_decisions USING btree (person_id);

CREATE TRIGGER convo_pipelines_delete AFTER DELETE ON analytics.people_conversations REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION analytics.log_messages('people_conversations');

ALTER TABLE analytics.people_conversations ENABLE ALWAYS TRIGGER convo_pipelines_delete;

CREATE TRIGGER convo_pipelines_insert AFTER INSERT ON analytics.people_conversations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION analytics.log_messages('people_conversations');

ALTER TABLE analytics.people_conversations ENABLE ALWAYS TRIGGER convo_pipelines_insert;

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON app.clients FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON app.contact_methods FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON app.conversations FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON app.crews FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON app.message_recipients FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON app.messages FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON app.people FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON app.projects FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

CREATE TRIGGER touch_updated_at BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

CREATE TRIGGER check_decision BEFORE INSERT OR UPDATE ON curation.participant_decisions FOR EACH ROW EXECUTE FUNCTION curation.check_decision();

CREATE TRIGGER convo_pipelines_delete AFTER DELETE ON curation.participant_decisions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION analytics.log_identifiers('participant_decisions');

ALTER TABLE curation.participant_decisions ENABLE ALWAYS TRIGGER convo_pipelines_delete;

CREATE TRIGGER convo_pipelines_insert AFTER INSERT ON curation.participant_decisions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION analytics.log_identifiers('participant_decisions');

ALTER TABLE curation.participant_decisions ENABLE ALWAYS TRIGGER convo_pipelines_insert;

CREATE TRIGGER convo_pipelines_truncate AFTER TRUNCATE ON curation.participant_decisions FOR EACH STATEMENT EXECUTE FUNCTION analytics.log_identifiers('participant_decisions');

ALTER TABLE curation.participant_decisions ENABLE ALWAYS TRIGGER convo_pipelines_truncate;

CREATE TRIGGER convo_pipelines_update AFTER UPDATE ON curation.participant_decisions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION analytics.log_identifiers('participant_decisions');

ALTER TABLE curation.participant_decisions ENABLE ALWAYS TRIGGER convo_pipelines_update;

ALTER TABLE ONLY analytics.client_activity_daily
    ADD CONSTRAINT client_activity_daily_client_id_fkey FOREIGN KEY (client_id) REFERENCES app.clients(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.clients_conversations
    ADD CONSTRAINT clients_conversations_client_id_fkey FOREIGN KEY (client_id) REFERENCES app.clients(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.clients_conversations
    ADD CONSTRAINT clients_conversations_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES app.conversations(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.conversation_summaries
    ADD CONSTRAINT conversation_summaries_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES app.conversations(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.crew_activity_daily
    ADD CONSTRAINT crew_activity_daily_crew_id_fkey FOREIGN KEY (crew_id) REFERENCES app.crews(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.crew_discovery_state
    ADD CONSTRAINT crew_discovery_state_crew_id_fkey FOREIGN KEY (crew_id) REFERENCES app.crews(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.deleted_conversations
    ADD CONSTRAINT deleted_conversations_crew_id_fkey FOREIGN KEY (crew_id) REFERENCES app.crews(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.histories_sessions
    ADD CONSTRAINT histories_sessions_crew_id_fkey FOREIGN KEY (crew_id) REFERENCES app.crews(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.participant_resolutions
    ADD CONSTRAINT participant_resolutions_contact_method_id_fkey FOREIGN KEY (contact_method_id) REFERENCES app.contact_methods(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.participant_resolutions
    ADD CONSTRAINT participant_resolutions_person_id_fkey FOREIGN KEY (person_id) REFERENCES app.people(id) ON DELETE SET NULL;

ALTER TABLE ONLY analytics.people_conversations
    ADD CONSTRAINT people_conversations_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES app.conversations(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.people_conversations
    ADD CONSTRAINT people_conversations_person_id_fkey FOREIGN KEY (person_id) REFERENCES app.people(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.project_conversations
    ADD CONSTRAINT project_conversations_added_by_fkey FOREIGN KEY (added_by) REFERENCES app.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY analytics.project_conversations
    ADD CONSTRAINT project_conversations_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES app.conversations(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.project_conversations
    ADD CONSTRAINT project_conversations_project_id_fkey FOREIGN KEY (project_id) REFERENCES app.projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY analytics.project_link_inconsistencies
    ADD CONSTRAINT project_link_inconsistencies_project_id_fkey FOREIGN KEY (project_id) REFERENCES app.projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY app.contact_methods
    ADD CONSTRAINT contact_methods_person_id_fkey FOREIGN KEY (person_id) REFERENCES app.people(id) ON DELETE SET NULL;

ALTER TABLE ONLY app.conversations
    ADD CONSTRAINT conversations_client_id_fkey FOREIGN KEY (client_id) REFERENCES app.clients(id) ON DELETE CASCADE;

ALTER TABLE ONLY app.conversations
    ADD CONSTRAINT conversations_crew_id_fkey FOREIGN KEY (crew_id) REFERENCES app.crews(id) ON DELETE CASCADE;

ALTER TABLE ONLY app.conversations
    ADD CONSTRAINT conversations_project_id_fkey FOREIGN KEY (project_id) REFERENCES app.projects(id) ON DELETE SET NULL;

ALTER TABLE ONLY app.crews
    ADD CONSTRAINT crews_client_id_fkey FOREIGN KEY (client_id) REFERENCES app.clients(id) ON DELETE CASCADE;

ALTER TABLE ONLY app.message_recipients
    ADD CONSTRAINT message_recipients_contact_method_id_fkey FOREIGN KEY (contact_method_id) REFERENCES app.contact_methods(id) ON DELETE CASCADE;

ALTER TABLE ONLY app.message_recipients
    ADD CONSTRAINT message_recipients_message_id_fkey FOREIGN KEY (message_id) REFERENCES app.messages(id) ON DELETE CASCADE;

ALTER TABLE ONLY app.messages
    ADD CONSTRAINT messages_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES app.conversations(id) ON DELETE CASCADE;

ALTER TABLE ONLY app.people
    ADD CONSTRAINT people_client_id_fkey FOREIGN KEY (client_id) REFERENCES app.clients(id) ON DELETE CASCADE;

ALTER TABLE ONLY app.projects
    ADD CONSTRAINT projects_user_id_fkey FOREIGN KEY (user_id) REFERENCES app.users(id) ON DELETE CASCADE;

REVOKE ALL ON FUNCTION analytics.capture(source regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.drop_triggers(member regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.enable_triggers(member regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.lock_parents(parent text, ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.log_conversations() FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.log_identifiers() FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.log_messages() FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.log_projects() FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.log_recipients() FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.log_sessions() FROM PUBLIC;

REVOKE ALL ON FUNCTION analytics.release(source regclass) FROM PUBLIC;

INSERT INTO analytics.catalog_state VALUES (true, NULL, '2026-11-22 20:52:11.237028+00');
INSERT INTO analytics.schema_migrations VALUES ('0026_names');
INSERT INTO analytics.trim_state VALUES (true, '0', '2026-11-22 20:52:10.933659+00');
INSERT INTO app.schema_migrations VALUES ('0001_app_schema');

-- roles
CREATE FUNCTION analytics.refuse_undiscovered() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'convo_pipeline may only insert conversations of crews'' sessions'
    using errcode = 'insufficient_privilege';
end
$$;
ALTER SCHEMA analytics OWNER TO convo_pipeline;
ALTER FUNCTION analytics.refuse_undiscovered() OWNER TO convo_pipeline;
ALTER TABLE analytics.alerts OWNER TO convo_pipeline;
ALTER TABLE analytics.histories_sessions OWNER TO convo_pipeline;
ALTER TABLE analytics.busiest_crews OWNER TO convo_pipeline;
ALTER TABLE analytics.capture_state OWNER TO convo_pipeline;
ALTER TABLE analytics.catalog_state OWNER TO convo_pipeline;
ALTER TABLE analytics.conversation_changes OWNER TO convo_pipeline;
ALTER TABLE analytics.identifier_changes OWNER TO convo_pipeline;
ALTER TABLE analytics.message_changes OWNER TO convo_pipeline;
ALTER TABLE analytics.project_changes OWNER TO convo_pipeline;
ALTER TABLE analytics.session_changes OWNER TO convo_pipeline;
ALTER TABLE analytics.changes OWNER TO convo_pipeline;
ALTER TABLE analytics.client_activity_daily OWNER TO convo_pipeline;
ALTER TABLE analytics.client_names OWNER TO convo_pipeline;
ALTER TABLE analytics.clients_conversations OWNER TO convo_pipeline;
ALTER TABLE analytics.contact_method_values OWNER TO convo_pipeline;
ALTER TABLE analytics.conversation_owners OWNER TO convo_pipeline;
ALTER TABLE analytics.people_conversations OWNER TO convo_pipeline;
ALTER TABLE analytics.conversation_clients OWNER TO convo_pipeline;
ALTER TABLE analytics.conversation_days OWNER TO convo_pipeline;
ALTER TABLE analytics.identifiers OWNER TO convo_pipeline;
ALTER TABLE analytics.identifier_holders OWNER TO convo_pipeline;
ALTER TABLE analytics.conversation_people OWNER TO convo_pipeline;
ALTER TABLE analytics.conversation_summaries OWNER TO convo_pipeline;
ALTER TABLE analytics.project_conversations OWNER TO convo_pipeline;
ALTER TABLE analytics.conversations_per_project OWNER TO convo_pipeline;
ALTER TABLE analytics.crew_activity_daily OWNER TO convo_pipeline;
ALTER TABLE analytics.crew_discovery_state OWNER TO convo_pipeline;
ALTER TABLE analytics.crew_names OWNER TO convo_pipeline;
ALTER TABLE analytics.customer_conversations OWNER TO convo_pipeline;
ALTER TABLE analytics.deleted_conversations OWNER TO convo_pipeline;
ALTER TABLE analytics.refresh_state OWNER TO convo_pipeline;
ALTER TABLE analytics.freshness OWNER TO convo_pipeline;
ALTER TABLE analytics.identifier_places OWNER TO convo_pipeline;
ALTER TABLE analytics.lead_conversations OWNER TO convo_pipeline;
ALTER TABLE analytics.lead_open_conversations OWNER TO convo_pipeline;
ALTER TABLE analytics.missing_app_indexes OWNER TO convo_pipeline;
ALTER TABLE analytics.oddities OWNER TO convo_pipeline;
ALTER TABLE analytics.participant_resolutions OWNER TO convo_pipeline;
ALTER TABLE analytics.person_names OWNER TO convo_pipeline;
ALTER TABLE analytics.person_timeline OWNER TO convo_pipeline;
ALTER TABLE analytics.project_link_inconsistencies OWNER TO convo_pipeline;
ALTER TABLE analytics.project_names OWNER TO convo_pipeline;
ALTER TABLE analytics.projects_this_week OWNER TO convo_pipeline;
ALTER TABLE analytics.schema_migrations OWNER TO convo_pipeline;
ALTER TABLE analytics.trim_state OWNER TO convo_pipeline;
ALTER TABLE analytics.unknown_senders OWNER TO convo_pipeline;
ALTER TABLE analytics.webhook_refreshes OWNER TO convo_pipeline;
CREATE TRIGGER convo_pipeline_discovers BEFORE INSERT ON app.conversations FOR EACH ROW WHEN (((CURRENT_USER = 'convo_pipeline'::name) AND ((new.channel <> 'crew'::text) OR (new.crew_id IS NULL) OR (new.session_id IS NULL)))) EXECUTE FUNCTION analytics.refuse_undiscovered();
GRANT USAGE ON SCHEMA analytics TO convo_analyst;
GRANT USAGE ON SCHEMA analytics TO convo_observer;
GRANT USAGE ON SCHEMA app TO convo_pipeline;
GRANT USAGE ON SCHEMA curation TO convo_steward;
GRANT USAGE ON SCHEMA curation TO convo_pipeline;
REVOKE ALL ON FUNCTION analytics.capture(source regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION analytics.capture(source regclass) TO convo_pipeline;
REVOKE ALL ON FUNCTION analytics.lock_parents(parent text, ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION analytics.lock_parents(parent text, ids uuid[]) TO convo_pipeline;
REVOKE ALL ON FUNCTION analytics.release(source regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION analytics.release(source regclass) TO convo_pipeline;
GRANT SELECT ON TABLE analytics.alerts TO convo_analyst;
GRANT SELECT(source) ON TABLE analytics.alerts TO convo_observer;
GRANT SELECT(kind) ON TABLE analytics.alerts TO convo_observer;
GRANT SELECT(found) ON TABLE analytics.alerts TO convo_observer;
GRANT SELECT(remedy) ON TABLE analytics.alerts TO convo_observer;
GRANT SELECT(link) ON TABLE analytics.alerts TO convo_observer;
GRANT SELECT(since) ON TABLE analytics.alerts TO convo_observer;
GRANT SELECT(ended_at) ON TABLE analytics.alerts TO convo_observer;
GRANT SELECT(told_at) ON TABLE analytics.alerts TO convo_observer;
GRANT SELECT(failed_deliveries) ON TABLE analytics.alerts TO convo_observer;
GRANT SELECT ON TABLE analytics.histories_sessions TO convo_analyst;
GRANT SELECT(crew_id) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(activity_date) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(message_count) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(human_count) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(ai_count) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(first_message_at) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(last_message_at) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(first_human_at) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(first_ai_at) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(first_response_at) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(refreshed_at) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT(archived_at) ON TABLE analytics.histories_sessions TO convo_observer;
GRANT SELECT ON TABLE app.crews TO convo_pipeline;
GRANT SELECT ON TABLE analytics.busiest_crews TO convo_analyst;
GRANT SELECT(place) ON TABLE analytics.busiest_crews TO convo_observer;
GRANT SELECT(crew_id) ON TABLE analytics.busiest_crews TO convo_observer;
GRANT SELECT(crew_code) ON TABLE analytics.busiest_crews TO convo_observer;
GRANT SELECT(crew_name) ON TABLE analytics.busiest_crews TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.busiest_crews TO convo_observer;
GRANT SELECT(sessions) ON TABLE analytics.busiest_crews TO convo_observer;
GRANT SELECT(messages) ON TABLE analytics.busiest_crews TO convo_observer;
GRANT SELECT ON TABLE analytics.capture_state TO convo_analyst;
GRANT SELECT ON TABLE analytics.catalog_state TO convo_analyst;
GRANT SELECT ON TABLE analytics.conversation_changes TO convo_analyst;
GRANT SELECT ON TABLE analytics.identifier_changes TO convo_analyst;
GRANT SELECT ON TABLE analytics.message_changes TO convo_analyst;
GRANT SELECT ON TABLE analytics.project_changes TO convo_analyst;
GRANT SELECT ON TABLE analytics.session_changes TO convo_analyst;
GRANT SELECT ON TABLE analytics.changes TO convo_analyst;
GRANT SELECT ON TABLE analytics.client_activity_daily TO convo_analyst;
GRANT SELECT(client_id) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT(activity_date) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT(client_code) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT(sessions) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT(messages) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT(conversations_started) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT(conversations_closed) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT(first_response_median_seconds) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT(first_response_p90_seconds) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT(refreshed_at) ON TABLE analytics.client_activity_daily TO convo_observer;
GRANT SELECT ON TABLE app.clients TO convo_pipeline;
GRANT SELECT ON TABLE analytics.client_names TO convo_analyst;
GRANT SELECT(client_id) ON TABLE analytics.client_names TO convo_observer;
GRANT SELECT(client_code) ON TABLE analytics.client_names TO convo_observer;
GRANT SELECT(client_name) ON TABLE analytics.client_names TO convo_observer;
GRANT SELECT(is_active) ON TABLE analytics.client_names TO convo_observer;
GRANT SELECT ON TABLE analytics.clients_conversations TO convo_analyst;
GRANT SELECT(id) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT(conversation_id) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT(created_at) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT(updated_at) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT(channel) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT(crew_id) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT(project_id) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT(started_at) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT(closed_at) ON TABLE analytics.clients_conversations TO convo_observer;
GRANT SELECT ON TABLE app.contact_methods TO convo_pipeline;
GRANT SELECT ON TABLE analytics.contact_method_values TO convo_analyst;
GRANT SELECT ON TABLE app.conversations TO convo_pipeline;
GRANT INSERT(id) ON TABLE app.conversations TO convo_pipeline;
GRANT INSERT(channel) ON TABLE app.conversations TO convo_pipeline;
GRANT INSERT(external_id) ON TABLE app.conversations TO convo_pipeline;
GRANT INSERT(client_id) ON TABLE app.conversations TO convo_pipeline;
GRANT INSERT(crew_id) ON TABLE app.conversations TO convo_pipeline;
GRANT INSERT(session_id) ON TABLE app.conversations TO convo_pipeline;
GRANT INSERT(started_at) ON TABLE app.conversations TO convo_pipeline;
GRANT SELECT ON TABLE analytics.conversation_owners TO convo_analyst;
GRANT SELECT(conversation_id) ON TABLE analytics.conversation_owners TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.conversation_owners TO convo_observer;
GRANT SELECT ON TABLE analytics.people_conversations TO convo_analyst;
GRANT SELECT(id) ON TABLE analytics.people_conversations TO convo_observer;
GRANT SELECT(person_id) ON TABLE analytics.people_conversations TO convo_observer;
GRANT SELECT(conversation_id) ON TABLE analytics.people_conversations TO convo_observer;
GRANT SELECT(created_at) ON TABLE analytics.people_conversations TO convo_observer;
GRANT SELECT(updated_at) ON TABLE analytics.people_conversations TO convo_observer;
GRANT SELECT ON TABLE app.people TO convo_pipeline;
GRANT SELECT ON TABLE analytics.conversation_clients TO convo_analyst;
GRANT SELECT(conversation_id) ON TABLE analytics.conversation_clients TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.conversation_clients TO convo_observer;
GRANT SELECT(via) ON TABLE analytics.conversation_clients TO convo_observer;
GRANT SELECT(person_id) ON TABLE analytics.conversation_clients TO convo_observer;
GRANT SELECT ON TABLE analytics.conversation_days TO convo_analyst;
GRANT SELECT(conversation_id) ON TABLE analytics.conversation_days TO convo_observer;
GRANT SELECT(activity_date) ON TABLE analytics.conversation_days TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.conversation_days TO convo_observer;
GRANT SELECT(source) ON TABLE analytics.conversation_days TO convo_observer;
GRANT SELECT(message_count) ON TABLE analytics.conversation_days TO convo_observer;
GRANT SELECT(is_started) ON TABLE analytics.conversation_days TO convo_observer;
GRANT SELECT(is_closed) ON TABLE analytics.conversation_days TO convo_observer;
GRANT SELECT(first_response_seconds) ON TABLE analytics.conversation_days TO convo_observer;
GRANT SELECT(refreshed_at) ON TABLE analytics.conversation_days TO convo_observer;
GRANT SELECT ON TABLE analytics.identifiers TO convo_analyst;
GRANT SELECT ON TABLE analytics.identifier_holders TO convo_analyst;
GRANT SELECT(person_id) ON TABLE analytics.identifier_holders TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.identifier_holders TO convo_observer;
GRANT SELECT(is_decided) ON TABLE analytics.identifier_holders TO convo_observer;
GRANT SELECT ON TABLE app.message_recipients TO convo_pipeline;
GRANT SELECT ON TABLE app.messages TO convo_pipeline;
GRANT SELECT ON TABLE analytics.conversation_people TO convo_analyst;
GRANT SELECT(conversation_id) ON TABLE analytics.conversation_people TO convo_observer;
GRANT SELECT(person_id) ON TABLE analytics.conversation_people TO convo_observer;
GRANT SELECT(via) ON TABLE analytics.conversation_people TO convo_observer;
GRANT SELECT(contact_method_id) ON TABLE analytics.conversation_people TO convo_observer;
GRANT SELECT(method) ON TABLE analytics.conversation_people TO convo_observer;
GRANT SELECT(confidence) ON TABLE analytics.conversation_people TO convo_observer;
GRANT SELECT(is_narrowed) ON TABLE analytics.conversation_people TO convo_observer;
GRANT SELECT ON TABLE analytics.conversation_summaries TO convo_analyst;
GRANT SELECT(conversation_id) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(source) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(channel) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(crew_id) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(project_id) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(message_count) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(inbound_count) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(outbound_count) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(participant_count) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(started_at) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(ended_at) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(duration_seconds) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(first_response_seconds) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(closed_at) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(refreshed_at) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(lead_id) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT(customer_id) ON TABLE analytics.conversation_summaries TO convo_observer;
GRANT SELECT ON TABLE analytics.project_conversations TO convo_analyst;
GRANT SELECT(id) ON TABLE analytics.project_conversations TO convo_observer;
GRANT SELECT(project_id) ON TABLE analytics.project_conversations TO convo_observer;
GRANT SELECT(conversation_id) ON TABLE analytics.project_conversations TO convo_observer;
GRANT SELECT(added_at) ON TABLE analytics.project_conversations TO convo_observer;
GRANT SELECT(added_by) ON TABLE analytics.project_conversations TO convo_observer;
GRANT SELECT ON TABLE analytics.conversations_per_project TO convo_analyst;
GRANT SELECT(project_id) ON TABLE analytics.conversations_per_project TO convo_observer;
GRANT SELECT(conversations) ON TABLE analytics.conversations_per_project TO convo_observer;
GRANT SELECT(last_added_at) ON TABLE analytics.conversations_per_project TO convo_observer;
GRANT SELECT ON TABLE analytics.crew_activity_daily TO convo_analyst;
GRANT SELECT(crew_id) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(activity_date) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(crew_code) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(crew_name) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(sessions) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(messages) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(human_messages) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(ai_messages) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(first_response_median_seconds) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT(refreshed_at) ON TABLE analytics.crew_activity_daily TO convo_observer;
GRANT SELECT ON TABLE analytics.crew_discovery_state TO convo_analyst;
GRANT SELECT(crew_id) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(histories_table_name) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(is_discovered) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(mode) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(last_run_at) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(last_success_at) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(last_duration_ms) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(sessions_scanned) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(conversations_created) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(consecutive_failures) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.crew_discovery_state TO convo_observer;
GRANT SELECT ON TABLE analytics.crew_names TO convo_analyst;
GRANT SELECT(crew_id) ON TABLE analytics.crew_names TO convo_observer;
GRANT SELECT(crew_code) ON TABLE analytics.crew_names TO convo_observer;
GRANT SELECT(crew_name) ON TABLE analytics.crew_names TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.crew_names TO convo_observer;
GRANT SELECT(is_active) ON TABLE analytics.crew_names TO convo_observer;
GRANT SELECT ON TABLE analytics.customer_conversations TO convo_analyst;
GRANT SELECT(customer_id) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(conversation_id) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(channel) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(crew_id) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(project_id) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(started_at) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(ended_at) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(closed_at) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(message_count) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(inbound_count) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(outbound_count) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT(first_response_seconds) ON TABLE analytics.customer_conversations TO convo_observer;
GRANT SELECT ON TABLE analytics.deleted_conversations TO convo_analyst;
GRANT SELECT(crew_id) ON TABLE analytics.deleted_conversations TO convo_observer;
GRANT SELECT(deleted_at) ON TABLE analytics.deleted_conversations TO convo_observer;
GRANT SELECT ON TABLE analytics.refresh_state TO convo_analyst;
GRANT SELECT(asset_key) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(follows) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(snapshot) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(snapshot_at) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(building) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(building_at) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(written_by) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(lease_holder) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(lease_until) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(last_run_at) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT(last_success_at) ON TABLE analytics.refresh_state TO convo_observer;
GRANT SELECT ON TABLE analytics.freshness TO convo_analyst;
GRANT SELECT(table_name) ON TABLE analytics.freshness TO convo_observer;
GRANT SELECT(as_of) ON TABLE analytics.freshness TO convo_observer;
GRANT SELECT(changes_waiting) ON TABLE analytics.freshness TO convo_observer;
GRANT SELECT(waiting_since) ON TABLE analytics.freshness TO convo_observer;
GRANT SELECT(last_success_at) ON TABLE analytics.freshness TO convo_observer;
GRANT SELECT ON TABLE curation.participant_decisions TO convo_steward;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE curation.participant_decisions TO convo_pipeline;
GRANT INSERT(contact_method_id) ON TABLE curation.participant_decisions TO convo_steward;
GRANT INSERT(person_id) ON TABLE curation.participant_decisions TO convo_steward;
GRANT INSERT(decision) ON TABLE curation.participant_decisions TO convo_steward;
GRANT INSERT(reason) ON TABLE curation.participant_decisions TO convo_steward;
GRANT INSERT(decided_by) ON TABLE curation.participant_decisions TO convo_steward;
GRANT UPDATE(revoked_by) ON TABLE curation.participant_decisions TO convo_steward;
GRANT UPDATE(revoked_at) ON TABLE curation.participant_decisions TO convo_steward;
GRANT SELECT ON TABLE analytics.identifier_places TO convo_analyst;
GRANT SELECT ON TABLE analytics.lead_conversations TO convo_analyst;
GRANT SELECT(lead_id) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(conversation_id) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(channel) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(crew_id) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(project_id) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(started_at) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(ended_at) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(closed_at) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(message_count) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(inbound_count) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(outbound_count) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT(first_response_seconds) ON TABLE analytics.lead_conversations TO convo_observer;
GRANT SELECT ON TABLE analytics.lead_open_conversations TO convo_analyst;
GRANT SELECT(lead_id) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(conversation_id) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(channel) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(crew_id) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(project_id) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(started_at) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(ended_at) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(message_count) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(inbound_count) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(outbound_count) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT(first_response_seconds) ON TABLE analytics.lead_open_conversations TO convo_observer;
GRANT SELECT ON TABLE analytics.missing_app_indexes TO convo_analyst;
GRANT SELECT(table_name) ON TABLE analytics.missing_app_indexes TO convo_observer;
GRANT SELECT(column_name) ON TABLE analytics.missing_app_indexes TO convo_observer;
GRANT SELECT(run_this) ON TABLE analytics.missing_app_indexes TO convo_observer;
GRANT SELECT ON TABLE analytics.oddities TO convo_analyst;
GRANT SELECT(asset_key) ON TABLE analytics.oddities TO convo_observer;
GRANT SELECT(crew_id) ON TABLE analytics.oddities TO convo_observer;
GRANT SELECT(kind) ON TABLE analytics.oddities TO convo_observer;
GRANT SELECT(rows) ON TABLE analytics.oddities TO convo_observer;
GRANT SELECT(remedy) ON TABLE analytics.oddities TO convo_observer;
GRANT SELECT(first_seen_at) ON TABLE analytics.oddities TO convo_observer;
GRANT SELECT(last_seen_at) ON TABLE analytics.oddities TO convo_observer;
GRANT SELECT ON TABLE analytics.participant_resolutions TO convo_analyst;
GRANT SELECT(contact_method_id) ON TABLE analytics.participant_resolutions TO convo_observer;
GRANT SELECT(person_id) ON TABLE analytics.participant_resolutions TO convo_observer;
GRANT SELECT(status) ON TABLE analytics.participant_resolutions TO convo_observer;
GRANT SELECT(method) ON TABLE analytics.participant_resolutions TO convo_observer;
GRANT SELECT(confidence) ON TABLE analytics.participant_resolutions TO convo_observer;
GRANT SELECT(candidate_count) ON TABLE analytics.participant_resolutions TO convo_observer;
GRANT SELECT(resolved_at) ON TABLE analytics.participant_resolutions TO convo_observer;
GRANT SELECT ON TABLE analytics.person_names TO convo_analyst;
GRANT SELECT ON TABLE analytics.person_timeline TO convo_analyst;
GRANT SELECT(person_id) ON TABLE analytics.person_timeline TO convo_observer;
GRANT SELECT(client_id) ON TABLE analytics.person_timeline TO convo_observer;
GRANT SELECT(conversation_id) ON TABLE analytics.person_timeline TO convo_observer;
GRANT SELECT(channel) ON TABLE analytics.person_timeline TO convo_observer;
GRANT SELECT(started_at) ON TABLE analytics.person_timeline TO convo_observer;
GRANT SELECT(ended_at) ON TABLE analytics.person_timeline TO convo_observer;
GRANT SELECT(message_count) ON TABLE analytics.person_timeline TO convo_observer;
GRANT SELECT(first_response_seconds) ON TABLE analytics.person_timeline TO convo_observer;
GRANT SELECT(closed_at) ON TABLE analytics.person_timeline TO convo_observer;
GRANT SELECT ON TABLE analytics.project_link_inconsistencies TO convo_analyst;
GRANT SELECT(project_id) ON TABLE analytics.project_link_inconsistencies TO convo_observer;
GRANT SELECT(conversation_id) ON TABLE analytics.project_link_inconsistencies TO convo_observer;
GRANT SELECT(kind) ON TABLE analytics.project_link_inconsistencies TO convo_observer;
GRANT SELECT(first_seen_at) ON TABLE analytics.project_link_inconsistencies TO convo_observer;
GRANT SELECT(last_seen_at) ON TABLE analytics.project_link_inconsistencies TO convo_observer;
GRANT SELECT(named_project_id) ON TABLE analytics.project_link_inconsistencies TO convo_observer;
GRANT SELECT ON TABLE app.projects TO convo_pipeline;
GRANT SELECT ON TABLE analytics.project_names TO convo_analyst;
GRANT SELECT(project_id) ON TABLE analytics.project_names TO convo_observer;
GRANT SELECT(project_name) ON TABLE analytics.project_names TO convo_observer;
GRANT SELECT(user_id) ON TABLE analytics.project_names TO convo_observer;
GRANT SELECT ON TABLE app.users TO convo_pipeline;
GRANT SELECT ON TABLE analytics.projects_this_week TO convo_analyst;
GRANT SELECT(project_id) ON TABLE analytics.projects_this_week TO convo_observer;
GRANT SELECT(project_name) ON TABLE analytics.projects_this_week TO convo_observer;
GRANT SELECT(conversation_id) ON TABLE analytics.projects_this_week TO convo_observer;
GRANT SELECT(channel) ON TABLE analytics.projects_this_week TO convo_observer;
GRANT SELECT(added_at) ON TABLE analytics.projects_this_week TO convo_observer;
GRANT SELECT(added_by) ON TABLE analytics.projects_this_week TO convo_observer;
GRANT SELECT ON TABLE analytics.schema_migrations TO convo_analyst;
GRANT SELECT ON TABLE analytics.trim_state TO convo_analyst;
GRANT SELECT ON TABLE analytics.unknown_senders TO convo_analyst;
GRANT SELECT(contact_method_id) ON TABLE analytics.unknown_senders TO convo_observer;
GRANT SELECT(kind) ON TABLE analytics.unknown_senders TO convo_observer;
GRANT SELECT(status) ON TABLE analytics.unknown_senders TO convo_observer;
GRANT SELECT(messages) ON TABLE analytics.unknown_senders TO convo_observer;
GRANT SELECT ON TABLE analytics.webhook_refreshes TO convo_analyst;
GRANT SELECT(id) ON TABLE analytics.webhook_refreshes TO convo_observer;
GRANT SELECT(table_name) ON TABLE analytics.webhook_refreshes TO convo_observer;
GRANT SELECT(sessions) ON TABLE analytics.webhook_refreshes TO convo_observer;
GRANT SELECT(inserted) ON TABLE analytics.webhook_refreshes TO convo_observer;
GRANT SELECT(updated) ON TABLE analytics.webhook_refreshes TO convo_observer;
GRANT SELECT(deleted) ON TABLE analytics.webhook_refreshes TO convo_observer;
GRANT SELECT(noted_at) ON TABLE analytics.webhook_refreshes TO convo_observer;
GRANT SELECT ON TABLE app.schema_migrations TO convo_pipeline;
ALTER DEFAULT PRIVILEGES FOR ROLE convo_pipeline IN SCHEMA analytics GRANT SELECT ON TABLES  TO convo_analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA analytics GRANT ALL ON TABLES  TO convo_pipeline;
ALTER DEFAULT PRIVILEGES IN SCHEMA analytics GRANT SELECT ON TABLES  TO convo_analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES  TO convo_pipeline;
INSERT INTO analytics.schema_migrations VALUES ('0027_stewards_and_observers');
