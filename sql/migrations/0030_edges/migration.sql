-- Names instead of oids.
alter table analytics.catalog_state add column has_foreign_keys boolean not null default true;
comment on column analytics.catalog_state.has_foreign_keys is
'Whether tables of analytics have foreign keys to app; without them, ticks delete what refers to deleted rows.';

alter table analytics.capture_state add column columns text;
comment on column analytics.capture_state.columns is
'Number and type of each of its columns that is read. If they or the oid change, views and foreign keys are bound anew.';

drop function analytics.source_tables(text);
create function analytics.source_tables(only_name text default null) returns table (
    name text, is_histories boolean, log_function text, table_oid oid, members oid[],
    obstacle text, is_fed boolean, is_captured boolean, identity text, columns text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive named as (
        select distinct
            crew.histories_table_name::text as name,
            true as is_histories,
            'log_sessions' as log_function,
            array['session_id', 'message', 'created_at'] as reads
        from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        where crew.is_active and client.is_active and octet_length(crew.histories_table_name) <= 63
            and crew.histories_table_name not in (
            'clients', 'crews', 'people', 'contact_methods', 'conversations', 'messages', 'message_recipients', 'projects', 'users'
        )
        union all
        select wanted.name, false, wanted.log_function, wanted.reads::text[]
        from (
            values
            ('clients', 'log_identifiers', '{id, client_code, name, is_active}'),
            ('crews', 'log_identifiers', '{id, client_id, crew_code, name, histories_table_name, is_active}'),
            ('people', 'log_identifiers', '{id, client_id, name, email, phone, linkedin_urn}'),
            ('contact_methods', 'log_identifiers', '{id, person_id, kind, value}'),
            (
                'conversations', 'log_conversations',
                '{id, channel, client_id, crew_id, session_id, project_id, lead_id, customer_id, subject, started_at, closed_at,
                created_at, updated_at}'
            ),
            ('messages', 'log_messages', '{id, conversation_id, direction, sent_at}'),
            ('message_recipients', 'log_recipients', '{message_id, contact_method_id, role}'),
            ('projects', 'log_projects', '{id, user_id, name, conversation_ids}'),
            ('users', 'log_identifiers', '{id, name}')
        ) as wanted (name, log_function, reads)
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
            concat_ws(':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of) as identity,
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

-- Known tables are not read again.
update analytics.capture_state as state
set columns = source.columns
from analytics.source_tables() as source
where source.name = state.table_name and source.table_oid = state.table_oid;

-- The columns of analytics that refer to rows of the application, and their foreign keys. With a foreign key, rows vanish with the
-- row that they refer to; without one, at the next tick. One is wanted unless catalog_state says otherwise, and where the table
-- that it refers to can have one.
create function analytics.foreign_keys() returns table (
    name text, child text, column_name text, parent text, on_delete text,
    is_wanted boolean, is_right boolean, is_valid boolean, obstacle text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with wanted as (
        select
            format('%s_%s_fkey', given.child, given.column_name) as name,
            given.*,
            to_regclass('app.' || given.parent)::oid as parent_oid,
            (
                select attribute.attnotnull from pg_attribute as attribute
                where attribute.attrelid = to_regclass('analytics.' || given.child) and attribute.attname = given.column_name
            ) as is_required
        from (
            values
            ('client_activity_daily', 'client_id', 'clients'),
            ('clients_conversations', 'client_id', 'clients'),
            ('clients_conversations', 'conversation_id', 'conversations'),
            ('conversation_summaries', 'conversation_id', 'conversations'),
            ('crew_activity_daily', 'crew_id', 'crews'),
            ('crew_discovery_state', 'crew_id', 'crews'),
            ('deleted_conversations', 'crew_id', 'crews'),
            ('histories_sessions', 'crew_id', 'crews'),
            ('participant_resolutions', 'contact_method_id', 'contact_methods'),
            ('participant_resolutions', 'person_id', 'people'),
            ('people_conversations', 'conversation_id', 'conversations'),
            ('people_conversations', 'person_id', 'people'),
            ('project_conversations', 'added_by', 'users'),
            ('project_conversations', 'conversation_id', 'conversations'),
            ('project_conversations', 'project_id', 'projects'),
            ('project_link_inconsistencies', 'project_id', 'projects')
        ) as given (child, column_name, parent)
    ),
    possible as (
        select
            wanted.*,
            case
                when wanted.parent_oid is null then 'it does not exist'
                when class.relkind not in ('r', 'p') then 'it is not a table'
                when not exists (
                    select from pg_index as index
                    inner join pg_attribute as attribute
                        on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
                    where index.indrelid = wanted.parent_oid
                        and attribute.attname = 'id'
                        and index.indnkeyatts = 1
                        and index.indisunique
                        and index.indisvalid
                        and index.indimmediate
                        and index.indpred is null
                ) then 'it has no unique key (id)'
            end as obstacle
        from wanted
        left join pg_class as class on class.oid = wanted.parent_oid
    )
    select
        possible.name,
        possible.child,
        possible.column_name,
        possible.parent,
        case when possible.is_required then 'cascade' else 'set null' end,
        wished.is_wanted,
        case when wished.is_wanted then coalesce(key.confrelid = possible.parent_oid and id.attname = 'id', false) else key.oid is null end,
        coalesce(key.convalidated, false),
        case when state.has_foreign_keys then possible.obstacle end
    from possible
    cross join analytics.catalog_state as state
    cross join lateral (select state.has_foreign_keys and possible.obstacle is null as is_wanted) as wished
    left join pg_constraint as key
        on key.conrelid = to_regclass('analytics.' || possible.child) and key.conname = possible.name and key.contype = 'f'
    left join pg_attribute as id on id.attrelid = key.confrelid and id.attnum = key.confkey[1]
$$;
comment on function analytics.foreign_keys is
'The columns of analytics that refer to rows of the application: whether a foreign key is wanted, right and valid, or why there '
'can be none. Internal.';

-- Drops a foreign key that is not right, and adds it where it is wanted, not yet valid. Set lock_timeout before: writers queue
-- behind the wait for the first lock. The others are taken at once or not at all, so that nobody waits for this in a circle.
create function analytics.bind_foreign_key(key_name text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    key record;
    former regclass;
begin
    select * into key from analytics.foreign_keys() where name = key_name;
    if not found then
        raise exception '% is not a foreign key of the pipeline', key_name using errcode = 'insufficient_privilege';
    end if;
    select confrelid into former from pg_constraint
    where conrelid = to_regclass('analytics.' || key.child) and conname = key.name and contype = 'f';
    if former is not null then
        execute format('lock table %s in access exclusive mode', former);
    end if;
    if key.is_wanted then
        execute format('lock table app.%I in share row exclusive mode nowait', key.parent);
    end if;
    execute format('lock table analytics.%I in access exclusive mode nowait', key.child);
    execute format('alter table analytics.%I drop constraint if exists %I', key.child, key.name);
    if key.is_wanted then
        execute format(
            'alter table analytics.%I add constraint %I foreign key (%I) references app.%I (id) on delete %s not valid',
            key.child, key.name, key.column_name, key.parent, key.on_delete
        );
    end if;
end
$$;
revoke all on function analytics.bind_foreign_key(text) from public;


-- Deletions and crashes.


-- Refused rows.


-- Capture.

