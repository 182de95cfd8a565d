-- name: news
-- Whether the tables and crews may differ from their stored state, by a fingerprint of all of them; whether a locked table is
-- due; whether a trigger could not write its log.
-- out: one row: fingerprint (of the catalog, the crews, the clients, and the stored state of crews), is_any
with now as materialized (
    select concat_ws(
        ' ',
        (
            select bit_xor(hash_record_extended(row(oid, xmin), 0)) from pg_class
            where relkind in ('r', 'p', 'v', 'm', 'f')
                and (
                    relnamespace in (select to_regnamespace(schema_name) from analytics.declared_sources())
                    or oid in (select inhrelid from pg_inherits)
                )
        ),
        (
            select bit_xor(hash_record_extended(row(oid, xmin), 0)) from pg_trigger
            where tgname >= 'convo_pipelines_' and tgname < 'convo_pipelines`'
        ),
        (
            select bit_xor(hash_record_extended(row(attribute.attrelid, attribute.attnum, attribute.xmin), 0))
            from pg_class as class
            inner join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0
            where class.relnamespace in (select to_regnamespace(schema_name) from analytics.declared_sources())
                and class.relkind in ('r', 'p', 'v', 'm', 'f')
        ),
        (select bit_xor(hash_record_extended(row(inhrelid, inhparent, xmin), 0)) from pg_inherits),
        (
            select
                bit_xor(
                    hash_record_extended(
                        row(beneath.view_oid, beneath.number, to_regclass(beneath.known_name)::oid, class.oid, class.xmin), 0
                    )
                )
            from analytics.adopted_tables as beneath
            left join pg_class as class on class.oid = beneath.table_oid
        ),
        (
            select bit_xor(hash_record_extended(row(adopted.view_oid, rule.ev_class, rule.xmin), 0))
            from analytics.adopted_views as adopted
            inner join pg_rewrite as rule on rule.ev_class = any(adopted.views)
        ),
        (
            select bit_xor(hash_record_extended(row(beneath.oid, attribute.attnum, attribute.xmin), 0))
            from (
                select table_oid as oid from analytics.adopted_tables
                union
                select unnest(views) from analytics.adopted_views
            ) as beneath
            cross join lateral (  -- by index: the planner expects thousands of tables
                select attnum, xmin from pg_attribute
                where attrelid = beneath.oid and attnum > 0
                offset 0
            ) as attribute
        ),
        (
            select bit_xor(hash_record_extended(row(adopted.view_oid, used.oid, used.xmin), 0))
            from analytics.adopted_views as adopted
            cross join lateral (
                select type.oid, type.xmin from pg_rewrite as rule
                inner join pg_depend as depend
                    on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid
                    and depend.refclassid = 'pg_type'::regclass
                inner join pg_type as type on type.oid = depend.refobjid
                where rule.ev_class = any(adopted.views)
                offset 0
            ) as used
        ),
        (
            select bit_xor(hash_record_extended(row(oid, xmin), 0)) from pg_namespace
            where nspname !~ '^pg_(toast_)?temp_' and exists (select from analytics.adopted_views)
        ),
        (
            select bit_xor(hash_record_extended(row(oid, xmin), 0)) from pg_proc
            where oid >= 16384  -- functions may call others in their text
                and (
                    exists (select from analytics.adopted_views)
                    or exists (select from analytics.refresh_state where definition is not null)
                )
        ),
        (
            select bit_xor(hash_record_extended(row(oid, xmin), 0)) from pg_rewrite
            where oid >= 16384 and exists (select from analytics.refresh_state where definition is not null)
        ),
        (
            select bit_xor(hash_record_extended(row(oid, xmin), 0)) from pg_operator
            where oid >= 16384 and exists (select from analytics.adopted_views)
        ),
        (select bit_xor(hash_record_extended(row(srrelid, srsubid), 0)) from pg_subscription_rel),
        (
            select bit_xor(hash_record_extended(row(name, schema_name, relation_name, reads), 0))
            from analytics.declared_sources()
        ),
        (select bit_xor(hash_record_extended(row(id, client_id, histories_table_name, is_active), 0)) from app.crews),
        (select bit_xor(hash_record_extended(row(id, is_active), 0)) from app.clients),
        (select bit_xor(hash_record_extended(row(crew_id, is_discovered), 0)) from analytics.crew_discovery_state)
    ) as fingerprint
)

select
    fingerprint,
    fingerprint is distinct from (select fingerprint from analytics.catalog_state)
    or exists (select from analytics.capture_state where retry_at <= clock_timestamp())
    or exists (
        select from pg_largeobject_metadata
        where oid >= 4293918720
            and lomowner = (select proowner from pg_proc where oid = 'analytics.log_sessions()'::regprocedure)
    ) as is_any
from now;


-- name: marks
-- Takes the marks of transactions whose changes could not be logged (see log_triggers.sql), and forgets what is known of every
-- table, so that all of them are read as a whole.
with marks as materialized (
    select lo_unlink(oid) from pg_largeobject_metadata
    where oid >= 4293918720
        and lomowner = (select proowner from pg_proc where oid = 'analytics.log_sessions()'::regprocedure)
),

unknown as (
    update analytics.catalog_state set fingerprint = null
    where exists (select from marks)
)

update analytics.capture_state set identity = null
where exists (select from marks);


-- name: differences
-- Tables whose catalog entry differs from the stored state, so that rows may have come or gone without being logged; and
-- tables that were locked by another session when they were to be captured, and are due.
-- in:  %(names)s: only these, or null
-- out: one row per table: name, is_histories, table_oid (null: it does not exist), members, obstacle, is_captured, has_others,
--      identity, columns, is_wanted, is_exchanged (views and foreign keys may refer to what had its name before)
select
    source.name,
    source.is_histories,
    source.table_oid,
    source.members,
    source.obstacle,
    source.is_captured,
    source.has_others,
    source.identity,
    source.columns,
    coalesce(state.is_wanted, true) as is_wanted,
    not source.is_histories and (source.table_oid, source.columns) is distinct from (state.table_oid, state.columns) as is_exchanged
from analytics.source_tables(%(names)s::text[]) as source
left join analytics.capture_state as state on state.table_name = source.name
where (source.table_oid, source.identity, source.columns)
    is distinct from (state.table_oid, state.identity, state.columns)
    or state.retry_at <= clock_timestamp()
order by source.name;


-- name: looked
-- Stores the fingerprint of a catalog that agrees with the stored state.
-- in:  %(fingerprint)s: of the catalog and the crews, before they were compared
update analytics.catalog_state
set
    fingerprint = %(fingerprint)s,
    seen_at = now();


-- name: has_views
-- Whether tables beneath views of app have triggers that read these views' definitions.
-- out: has_views
select count(*) > 0 as has_views from analytics.adopted_views;


-- name: status
-- The capture of tables that are read.
-- in:  %(names)s: only these, or null
-- out: one row per table: table_name, mode (captured, uncaptured or absent), is_wanted, remark,
--      next_attempt (null: none is due)
select
    source.name as table_name,
    case when source.is_captured then 'captured' when source.table_oid is null then 'absent' else 'uncaptured' end as mode,
    coalesce(state.is_wanted, true) as is_wanted,
    coalesce(state.remark, case when not source.is_captured then source.obstacle end) as remark,
    to_char(state.retry_at, 'YYYY-MM-DD HH24:MI:SS') as next_attempt
from analytics.source_tables(%(names)s::text[]) as source
left join analytics.capture_state as state on state.table_name = source.name
order by source.is_histories, source.name;


-- name: want
-- Switches the capture of a table on or off; it is tried at once.
-- in:  %(table_name)s, %(is_wanted)s
insert into analytics.capture_state as state (table_name, mode, is_wanted, retry_at)
values (%(table_name)s, 'uncaptured', %(is_wanted)s, now())
on conflict (table_name) do update set
    is_wanted = excluded.is_wanted,
    changed_at = excluded.changed_at,
    retry_at = excluded.retry_at;


-- name: remember
-- Stores the catalog entries of tables, and logs "everything of this table" for each new one; as a truncation if partitions are
-- gone, with their rows.
-- If only one table is given, the others' triggers are not read.
-- in:  %(names)s, table by table; %(oids)s, %(columns)s: as they were compared, before views were bound: if they have changed
--      since, nothing is stored, and the next look finds the difference; %(remarks)s: why it is not captured, or null;
--      %(retry_seconds)s: after how long capturing is retried, doubled at each time up to an hour; null: it is not
with compared as (
    select * from unnest(
        %(names)s::text[], %(oids)s::oid[], %(columns)s::text[], %(remarks)s::text[], %(retry_seconds)s::float8[]
    ) as compared (name, table_oid, columns, remark, retry_seconds)
),

source as (
    select
        source.*,
        compared.remark,
        compared.retry_seconds,
        state.retry_at - state.changed_at as last_wait,
        (source.table_oid, source.identity, source.columns)
            is distinct from (state.table_oid, state.identity, state.columns) as is_new,
        source.table_oid = state.table_oid and (
            not source.members @> state.members
            or files.present && files.former and not files.present @> files.former  -- of the tables beneath a view
        ) as has_lost_partitions
    from compared
    inner join analytics.source_tables(case when cardinality(%(names)s::text[]) = 1 then %(names)s::text[] end) as source
        on source.name = compared.name
        and (source.table_oid, source.columns) is not distinct from (compared.table_oid, compared.columns)
    left join analytics.capture_state as state on state.table_name = source.name
    cross join lateral (
        select
            array(select (regexp_matches(source.identity, '(?:^| )(\d+):', 'g'))[1]) as present,
            array(select (regexp_matches(state.identity, '(?:^| )(\d+):', 'g'))[1]) as former
    ) as files
),

remembered as (
    insert into analytics.capture_state as state (
        table_name, table_oid, members, identity, columns, mode, remark, changed_at, retry_at
    )
    select
        name,
        table_oid,
        members,
        identity,
        columns,
        case when is_captured then 'captured' else 'uncaptured' end,
        case when not is_captured then coalesce(remark, obstacle) end,
        now(),
        case
            when retry_seconds is not null
                then now() + least('1 hour', greatest(make_interval(secs => retry_seconds), 2 * last_wait))
        end
    from source
    on conflict (table_name) do update set
        table_oid = excluded.table_oid,
        members = excluded.members,
        identity = excluded.identity,
        columns = excluded.columns,
        mode = excluded.mode,
        remark = excluded.remark,
        changed_at = excluded.changed_at,
        retry_at = excluded.retry_at
),

sessions as (
    insert into analytics.session_changes (table_oid, operation)
    select
        table_oid,
        case when has_lost_partitions then 'truncate' else 'everything' end
    from source
    where is_new and is_histories and table_oid is not null
)

select analytics.log_everything(name) from source
where is_new and not is_histories;


-- name: install_together
-- Creates the triggers of new histories tables.
-- in:  %(table_oids)s
-- out: oid: of each that is captured now; the others are left
select oid from analytics.capture_tables(%(table_oids)s::oid[]::regclass[]) as oid;


-- name: remove
-- Drops the triggers of a table.
-- in:  %(table_oid)s
select analytics.release(%(table_oid)s::oid::regclass);


-- name: install
-- Creates the triggers of a table.
-- in:  %(table_oid)s
select analytics.capture(%(table_oid)s::oid::regclass);
