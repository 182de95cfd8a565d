-- Names instead of oids.
update analytics.catalog_state set has_foreign_keys = true;
do $$
declare
    key record;
begin
    for key in select * from analytics.foreign_keys() where not is_right or not is_valid loop
        if key.obstacle is not null then
            raise exception 'app.% cannot have the foreign key %: %', key.parent, key.name, key.obstacle;
        end if;
        execute format(
            case key.on_delete when 'cascade' then 'delete from analytics.%1$I as child' else 'update analytics.%1$I as child set %2$I = null' end
            || ' where %2$I is not null and not exists (select from app.%3$I as parent where parent.id = child.%2$I)',
            key.child, key.column_name, key.parent
        );
        perform analytics.bind_foreign_key(key.name) where not key.is_right;
        execute format('alter table analytics.%I validate constraint %I', key.child, key.name);
    end loop;
end
$$;
drop function analytics.bind_foreign_key(text);
drop function analytics.foreign_keys();

drop function analytics.source_tables(text);
create function analytics.source_tables(only_name text default null) returns table (
    name text, is_histories boolean, log_function text, table_oid oid, members oid[],
    obstacle text, is_fed boolean, is_captured boolean, identity text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
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

delete from analytics.capture_state where table_name = 'users';
alter table analytics.capture_state drop column columns;
alter table analytics.catalog_state drop column has_foreign_keys;


-- Deletions and crashes.


-- Refused rows.


-- Capture.

