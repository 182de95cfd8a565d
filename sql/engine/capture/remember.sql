-- Stores the catalog entry of a table, and logs "everything of this table" if it is new; as a truncation if partitions are
-- gone, with their rows.
-- in:  %(table_name)s; %(table_oid)s, %(columns)s: as they were compared, before views were bound: if they have changed since,
--      nothing is stored, and the next look finds the difference; %(remark)s: why it is not captured, or null;
--      %(retry_seconds)s: after how long capturing is retried, doubled at each time up to an hour; null: it is not
with source as (
    select
        source.*,
        state.retry_at - state.changed_at as last_wait,
        (source.table_oid, source.identity, source.columns)
            is distinct from (state.table_oid, state.identity, state.columns) as is_new,
        source.table_oid = state.table_oid and not source.members @> state.members as has_lost_partitions
    from analytics.source_tables(%(table_name)s) as source
    left join analytics.capture_state as state on state.table_name = source.name
    where (source.table_oid, source.columns) is not distinct from (%(table_oid)s::oid, %(columns)s)
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
        case when is_captured then 'captured' else 'window' end,
        case when not is_captured then coalesce(%(remark)s, obstacle) end,
        now(),
        case
            when %(retry_seconds)s::float8 is not null
                then now() + least('1 hour', greatest(make_interval(secs => %(retry_seconds)s), 2 * last_wait))
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
),

conversations as (
    insert into analytics.conversation_changes (source, operation)
    select
        name,
        'everything'
    from source
    where is_new and log_function in ('log_conversations', 'log_messages')
),

recipients as (
    insert into analytics.message_changes (operation)
    select 'everything' from source
    where is_new and log_function = 'log_recipients'
),

identifiers as (
    insert into analytics.identifier_changes (source, operation)
    select
        name,
        'everything'
    from source
    where is_new and log_function = 'log_identifiers'
)

insert into analytics.project_changes (operation)
select 'everything' from source
where is_new and log_function = 'log_projects';
