-- Whether anything may be different from what is remembered of the tables and crews, without looking at each table.
-- in:  %(retry_seconds)s: after how long a table is tried again that somebody held a lock on
-- out: one row: fingerprint (of the catalog), is_any
with now as materialized (
    select concat_ws(
        ' ',
        (
            select bit_xor(hash_record_extended(row(oid, xmin), 0)) from pg_class
            where relkind in ('r', 'p', 'v', 'm', 'f')
                and (relnamespace = (select to_regnamespace('app')) or oid in (select inhrelid from pg_inherits))
        ),
        (
            select bit_xor(hash_record_extended(row(oid, xmin), 0)) from pg_trigger
            where tgname like 'convo\_pipelines\_%%'
        ),
        (select bit_xor(hash_record_extended(row(inhrelid, inhparent, xmin), 0)) from pg_inherits),
        (select bit_xor(hash_record_extended(row(srrelid, srsubid), 0)) from pg_subscription_rel)
    ) as fingerprint
)

select
    fingerprint,
    fingerprint is distinct from (select fingerprint from analytics.catalog_state)
    or exists (
        select from analytics.capture_state
        where not is_settled and changed_at <= clock_timestamp() - make_interval(secs => %(retry_seconds)s)
    )
    or exists (
        select from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        left join analytics.crew_discovery_state as state on state.crew_id = crew.id
        where (crew.is_active and client.is_active) <> coalesce(state.is_discovered, false)
            or crew.is_active
            and client.is_active
            and (state.histories_table_name, state.client_id)
            is distinct from (crew.histories_table_name, crew.client_id)
    ) as is_any
from now;
