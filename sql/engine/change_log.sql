-- name: forget
-- Empties a log.
-- in:  {log}
delete from {log};


-- name: snapshot
-- A snapshot of now.
-- out: one row: to_snapshot
select pg_current_snapshot()::text as to_snapshot;


-- name: changes
-- The changes of one source that a table follows.
-- in:  {source}, {log}; {is_followed}: which of its changes; {is_everything}: whether it has to be read as a whole
-- out: source, operation, xid, logged_at, is_everything
select
    {source} as source,
    operation,
    xid,
    logged_at,
    {is_everything} as is_everything
from analytics.{log}
where {is_followed};


-- name: news
-- What was logged between two snapshots.
-- in:  {changes}: those that the table follows; %(from_snapshot)s, %(to_snapshot)s; %(snapshot_at)s: when the first was taken
-- out: one row: operations (`<source> <operation>`), is_everything (whole tables have to be read), written_at (when the oldest
--      change was made; at the earliest, when the first snapshot was taken)
select
    array_agg(distinct source || ' ' || operation) as operations,
    coalesce(bool_or(is_everything), false) as is_everything,
    greatest(min(logged_at), %(snapshot_at)s::timestamptz) as written_at
from (
{changes}
) as change
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot);


-- name: look
-- The watermark of a table and a snapshot of now, with the token of the server since its last crash. A statement of its own,
-- before anything is written; a standby cannot read the token.
-- in:  %(asset_key)s
-- out: one row, none before `renew_token`: from_snapshot (null: not built), to_snapshot, taken_at, crash_token
select
    state.snapshot::text as from_snapshot,
    pg_current_snapshot()::text as to_snapshot,
    clock_timestamp() as taken_at,
    crash_token.token as crash_token
from analytics.refresh_state as state
cross join analytics.crash_token
where state.asset_key = %(asset_key)s;


-- name: look_at_all
-- Whether anything was logged since a snapshot, and who holds and wants the leases. An idle look writes nothing.
-- in:  %(since)s: that snapshot, or null: nothing is looked for; %(own)s: transactions whose changes are known
-- out: one row, none before `renew_token`: to_snapshot, taken_at, crash_token; operations (`<source> <operation>`; null: none);
--      leases (jsonb, by table: holder, or null; is_wanted)
select
    pg_current_snapshot()::text as to_snapshot,
    clock_timestamp() as taken_at,
    token as crash_token,
    (
        select array_agg(distinct source || ' ' || operation) from analytics.changes
        where analytics.is_new(xid, %(since)s::pg_snapshot, null) and xid <> all(%(own)s::xid8[])
    ) as operations,
    (
        select
            jsonb_object_agg(
                asset_key,
                jsonb_build_object(
                    'holder', case when lease_until > clock_timestamp() then lease_holder end,
                    'is_wanted', coalesce(lease_wanted_until > clock_timestamp(), false)
                )
            )
        from analytics.refresh_state
    ) as leases
from analytics.crash_token;


-- name: renew_token
-- Creates the token that the next crash removes. The last one emptied unlogged tables, too, and those beneath views: what they
-- are sources of is read as a whole.
with renewed as (
    insert into analytics.crash_token default values
    on conflict do nothing
    returning 1
),

unlogged as (
    select array_agg(class.oid) as oids from renewed
    inner join pg_class as class on class.relpersistence = 'u' and class.relkind = 'r'
),

emptied as materialized (
    select
        source.table_name,
        source.table_oid
    from unlogged
    inner join analytics.capture_state as source
        on source.members && unlogged.oids or source.table_oid in (
            select beneath.view_oid from analytics.adopted_tables as beneath
            cross join lateral analytics.members_of(beneath.table_oid) as member (oid)
            where member.oid = any(unlogged.oids)
        )
),

logged as materialized (
    select
        emptied.table_name,
        emptied.table_oid,
        coalesce(source.is_histories, true) as is_histories  -- true: that of an inactive crew
    from emptied
    left join analytics.source_tables(array(select table_name from emptied)) as source on source.name = emptied.table_name
),

sessions as (
    insert into analytics.session_changes (table_oid, operation)
    select
        table_oid,
        'everything'
    from logged
    where is_histories and table_oid is not null
)

select analytics.log_everything(table_name) from logged
where not is_histories;


-- name: store_idle
-- Moves the watermarks of tables without news, unless another run has moved them, or the server has crashed.
-- in:  %(asset_keys)s, %(from_snapshots)s: pair by pair; %(to_snapshot)s, %(taken_at)s, %(crash_token)s
-- out: a row per table that moved: asset_key
update analytics.refresh_state as state
set
    snapshot = %(to_snapshot)s::pg_snapshot,
    snapshot_at = %(taken_at)s,
    last_success_at = clock_timestamp(),
    last_error = null,
    failing_since = null,
    written_by = pg_current_xact_id()
from unnest(%(asset_keys)s::text[], %(from_snapshots)s::text[]) as idle (asset_key, from_snapshot)
where state.asset_key = idle.asset_key
    and state.snapshot::text = idle.from_snapshot
    and exists (select from analytics.crash_token where token = %(crash_token)s)
returning state.asset_key;


-- name: is_same_token
-- Whether the server has not crashed since a token was read.
-- in:  %(crash_token)s
-- out: one row: is_same
select exists(select from analytics.crash_token where token = %(crash_token)s) as is_same;


-- name: position
-- The watermarks of tables.
-- in:  %(asset_keys)s
-- out: one row per table, none before `ensure`: asset_key, unread_since, from_snapshot (null: not built), snapshot_at, is_ours
--      (false: the row was restored from another server), is_standby, follows, version
select
    asset_key,
    coalesce(snapshot, building)::text as unread_since,
    snapshot::text as from_snapshot,
    snapshot_at,
    mod(written_by::text::numeric, 4294967296) = xmin::text::numeric as is_ours,
    pg_is_in_recovery() as is_standby,
    follows,
    version
from analytics.refresh_state
where asset_key = any(%(asset_keys)s::text[]);


-- name: definition
-- The definition of a table that is in force.
-- in:  %(asset_key)s
-- out: one row, none before `ensure`: definition (null: none)
select definition from analytics.refresh_state
where asset_key = %(asset_key)s;


-- name: ensure
-- Creates a table's row of refresh_state, or updates what it follows and what its rows are computed by. If that was another
-- version, logs that all rows are computed again.
-- in:  %(asset_key)s, %(follows)s, %(version)s
with ensured as (
    insert into analytics.refresh_state as state (asset_key, follows, version)
    values (%(asset_key)s, %(follows)s::text[], %(version)s)
    on conflict (asset_key) do update set
        follows = excluded.follows,
        version = excluded.version,
        written_by = pg_current_xact_id()
    where (state.follows, state.version) is distinct from (excluded.follows, excluded.version)
)

select analytics.log_everything(asset_key) from analytics.refresh_state
where asset_key = %(asset_key)s and version <> %(version)s;


-- name: forget_all
-- Clears all watermarks: the database was restored from another server, whose transaction ids and snapshots are meaningless here.
with trims as (
    update analytics.trim_state set trimmed_below = '0'
),

crash_tokens as (
    delete from analytics.crash_token
),

captures as (
    update analytics.capture_state set identity = null
),

lakes as (
    update analytics.lake_state
    set
        snapshot = null,
        committed = null
),

catalogs as (
    update analytics.catalog_state set fingerprint = null
)

update analytics.refresh_state
set
    snapshot = null,
    snapshot_at = null,
    building = null,
    building_at = null,
    lease_holder = null,
    lease_until = null,
    written_by = pg_current_xact_id();


-- name: begin_build
-- Begins the first build: stores the snapshot from which on the logs are kept, unless an earlier attempt has.
-- in:  %(asset_key)s
update analytics.refresh_state
set
    building = coalesce(building, pg_current_snapshot()),
    building_at = coalesce(building_at, clock_timestamp()),
    written_by = pg_current_xact_id()
where asset_key = %(asset_key)s and snapshot is null;


-- name: store
-- Moves the watermark, unless another run has moved it, or the server has crashed since the snapshot was taken; and counts how
-- long the changes that the table follows took to be visible, in it, but for those that it had left to this tick.
-- in:  %(asset_key)s, %(from_snapshot)s, %(to_snapshot)s, %(taken_at)s, %(crash_token)s; %(snapshot_at)s: when the first snapshot
--      was taken; {changes}: those that the table follows; %(bounds)s: those of the histogram, in seconds
-- out: latencies; a row if it moved: xid (of this transaction)
with moved as (
    update analytics.refresh_state
    set
        snapshot = %(to_snapshot)s::pg_snapshot,
        snapshot_at = %(taken_at)s,
        building = null,
        building_at = null,
        last_success_at = clock_timestamp(),
        last_error = null,
        failing_since = null,
        written_by = pg_current_xact_id()
    where asset_key = %(asset_key)s
        and snapshot::text is not distinct from %(from_snapshot)s
        and exists (select from analytics.crash_token where token = %(crash_token)s)
    returning written_by
),

visible as (
    select extract(epoch from clock_timestamp() - greatest(logged_at, %(snapshot_at)s::timestamptz))::float8 as seconds
    from (
{changes}
    ) as change
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
        and exists (select from moved)
),

counted as (
    insert into analytics.latencies as latency (table_name, hour, seconds, changes, total_seconds)
    select
        %(asset_key)s,
        date_trunc('hour', clock_timestamp()),
        coalesce((%(bounds)s::float8[])[1 + width_bucket(seconds, %(bounds)s::float8[])], 'Infinity'),
        count(*),
        sum(seconds)
    from visible
    group by 3
    order by 3
    on conflict (table_name, hour, seconds) do update set
        changes = latency.changes + excluded.changes,
        total_seconds = latency.total_seconds + excluded.total_seconds
)

select written_by::text as xid from moved;


-- name: failed
-- Stores why ticks of tables failed, unless that is stored.
-- in:  %(asset_keys)s; %(error)s: the message, without the values of rows
update analytics.refresh_state
set
    last_error = %(error)s,
    failing_since = coalesce(failing_since, clock_timestamp()),
    written_by = pg_current_xact_id()
where asset_key = any(%(asset_keys)s::text[]) and last_error is distinct from %(error)s;


-- name: bound
-- The transaction below which every table has read the logs, or will read its sources anyway; and the lake, if it follows. It
-- keeps no log that is too large: it will write all days then.
-- in:  %(tables)s: those that learn of deletions from the logs only: nothing is trimmed before the end of their first build;
--      %(logs)s: the logs; %(largest_for_lake)s: the largest number of rows that it keeps
-- out: one row: bound (xid8: changes of transactions below it can be deleted; 0: none), trimmed_below; largest (estimated rows
--      of the largest log)
with largest as (
    select max(reltuples)::bigint as rows from pg_class
    where relnamespace = 'analytics'::regnamespace and relname = any(%(logs)s::text[])
)

select
    case
        when count(*) filter (
            where state.asset_key = any(%(tables)s::text[]) and state.snapshot is not null
        ) < cardinality(%(tables)s::text[]) then '0'
        else least(
            pg_snapshot_xmin(pg_current_snapshot()),
            min(least(pg_snapshot_xmin(state.snapshot), pg_snapshot_xmin(state.building))),
            (
                select min(pg_snapshot_xmin(lake.snapshot)) from analytics.lake_state as lake
                where (select rows from largest) <= %(largest_for_lake)s
            )
        )::text
    end as bound,
    (select trimmed_below::text from analytics.trim_state) as trimmed_below,
    (select rows from largest) as largest
from analytics.refresh_state as state;


-- name: empty
-- Empties a log, but for changes of transactions that may be open.
-- in:  {log}
delete from {log}
where xid < pg_snapshot_xmin(pg_current_snapshot());


-- name: collapse
-- Logs "everything of every table", in place of too many unread rows.
-- in:  %(sources)s: sources and derived tables whose logs these are
with sessions as (
    insert into analytics.session_changes (table_oid, operation)
    select
        member,
        'everything'
    from analytics.capture_state
    cross join lateral unnest(members) as member
)

select analytics.log_everything(source) from unnest(%(sources)s::text[]) as source
where source <> 'histories';


-- name: no_news
-- What `news` returns if nothing was logged: for a refresh of what a caller names, which does not read the log.
-- out: one row: operations, is_everything, written_at
select
    null::text[] as operations,
    false as is_everything,
    null::timestamptz as written_at;


-- name: trimmed
-- in:  {log}; %(trimmed_below)s, %(bound)s: see trim
-- out: a row for each that was deleted
delete from analytics.{log}
where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
returning 1;


-- name: trim
-- Deletes the changes that every table has read, and what tables keep for these.
-- in:  {logs}: a query for each log, which deletes its rows, and those of tables; {counts}: how many each deleted;
--      %(trimmed_below)s, %(bound)s: of transactions from the first up to, not including, the second
-- out: one row for each log: log, rows
with remembered as (
    update analytics.trim_state
    set
        trimmed_below = greatest(trimmed_below, %(bound)s::xid8),
        trimmed_at = now()
),

{logs}

{counts};


-- name: updated
-- When tables were last written, according to the log.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots; %(sources)s: the tables
-- out: one row per table with changes: source, updated_at
select
    source,
    max(logged_at) as updated_at
from analytics.changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and source = any(%(sources)s::text[])
group by source;


-- name: is_empty
-- Whether there is nothing to trim: what the lake has not read is kept.
-- out: one row: is_empty
select not exists (
    select from analytics.changes
    where xid >= (select trimmed_below from analytics.trim_state)
        and xid < coalesce(
            (select min(pg_snapshot_xmin(snapshot)) from analytics.lake_state), '18446744073709551615'  -- the largest
        )
) as is_empty;


-- name: fold_latencies
-- Adds up the latencies of more than a week ago.
-- out: latencies
with expired as (
    delete from analytics.latencies
    where hour < now() - interval '7 days' and hour > '-infinity'
    returning table_name, seconds, changes, total_seconds
)

insert into analytics.latencies as latency (table_name, hour, seconds, changes, total_seconds)
select
    table_name,
    '-infinity',
    seconds,
    sum(changes),
    sum(total_seconds)
from expired
group by table_name, seconds
on conflict (table_name, hour, seconds) do update set
    changes = latency.changes + excluded.changes,
    total_seconds = latency.total_seconds + excluded.total_seconds;
