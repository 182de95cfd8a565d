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
