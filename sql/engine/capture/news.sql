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
                    relnamespace in (select to_regnamespace(name) from unnest(array['app', 'curation']) as name)
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
            where class.relnamespace = (select to_regnamespace('app')) and class.relkind in ('r', 'p', 'v', 'm', 'f')
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
            where oid >= 16384 and exists (select from analytics.adopted_views)  -- functions may call others in their text
        ),
        (
            select bit_xor(hash_record_extended(row(oid, xmin), 0)) from pg_operator
            where oid >= 16384 and exists (select from analytics.adopted_views)
        ),
        (select bit_xor(hash_record_extended(row(srrelid, srsubid), 0)) from pg_subscription_rel),
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
