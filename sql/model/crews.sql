-- name: active
-- The crews that are discovered: active ones of active clients.
-- in:  %(codes)s: only the crews with these codes, or null for all; %(clients)s: only those of these clients, or null
-- out: one row per crew, by code: id, code, client_code, table_name, members
select
    crew.id,
    crew.crew_code as code,
    client.client_code,
    crew.histories_table_name as table_name,
    state.members
from app.crews as crew
inner join app.clients as client on client.id = crew.client_id
left join analytics.capture_state as state on state.table_name = crew.histories_table_name
where crew.is_active
    and client.is_active
    and (%(codes)s::text[] is null or crew.crew_code = any(%(codes)s::text[]))
    and (%(clients)s::text[] is null or client.client_code = any(%(clients)s::text[]))
order by crew.crew_code;


-- name: clients
-- out: one row per client, by code: id, code
select
    id,
    client_code as code
from app.clients
order by client_code;


-- name: missing
-- Whether the table of an active crew does not exist, or cannot exist because its name is too long.
-- out: one row: is_any
select count(*) > 0 as is_any
from app.crews as crew
inner join app.clients as client on client.id = crew.client_id
left join analytics.capture_state as state on state.table_name = crew.histories_table_name
where crew.is_active and client.is_active and crew.histories_table_name is not null and state.table_oid is null;


-- name: waiting
-- The crews that a tick has to visit: those with changes, and those whose table does not exist.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots; without the first, all;
--      %(crew_ids)s: only these, or null; %(with_uncaptured)s: whether crews whose table is not captured are visited, too
-- out: one row per active crew, by code: id, code, table_name, members (null: the table does not exist), mode, remark, columns
--      (jsonb: name to type), has_time_index, conflicting_crews (others that read the same rows, directly or through a view;
--      or null), changes (number of logged keys), rest_day, rest_session (everything from this day on, after
--      this session, has to be read; null: nothing), size (about so many rows, if all of it has to be read), has_unusable
--      (whether rows were written that are left out), failures
with recursive logged as (
    select
        table_oid,
        count(*) filter (where operation in ('insert', 'update', 'move', 'delete')) as changes,
        min(coalesce(activity_date, '0001-01-02')) filter (where operation in ('everything', 'truncate')) as rest_day,
        (
            array_agg(session_id order by coalesce(activity_date, '0001-01-02'), session_id collate "C" nulls first)
            filter (where operation in ('everything', 'truncate'))
        )[1] as rest_session,
        bool_or(
            operation = 'unusable'
            or operation in ('insert', 'update') and (
                activity_date < '0001-01-02' or activity_date >= '9999-12-30'
                or not analytics.is_usable_session(session_id)
            )
        ) as has_unusable
    from analytics.session_changes
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    group by table_oid
),

sources as (
    select
        state.table_name,
        sum(logged.changes) as changes,
        min(logged.rest_day) as rest_day,
        (array_agg(logged.rest_session order by logged.rest_day, logged.rest_session collate "C" nulls first))[1] as rest_session,
        bool_or(logged.has_unusable) as has_unusable
    from logged
    inner join analytics.capture_state as state on state.members @> array[logged.table_oid]
    group by state.table_name
),

tables as (
    select * from sources
    union all
    select
        state.table_name,
        0,
        null,
        null,
        false
    from analytics.capture_state as state
    where (state.table_oid is null or %(from_snapshot)s::text is null or %(with_uncaptured)s and state.mode = 'uncaptured')
        and state.table_name not in (select table_name from sources)
    union all
    select distinct  -- names that are too long for a table
        histories_table_name,
        0,
        null::date,
        null,
        false
    from app.crews
    where octet_length(histories_table_name) > 63
),

waiting as materialized (
    select
        crew.id,
        crew.crew_code as code,
        crew.client_id,
        crew.histories_table_name as table_name,
        state.table_oid,
        state.members,
        coalesce(state.mode, 'uncaptured') as mode,
        state.remark,
        tables.changes::bigint as changes,
        case when %(from_snapshot)s::text is null then '0001-01-02' else tables.rest_day end as rest_day,
        case when %(from_snapshot)s::text is not null then tables.rest_session end as rest_session,
        tables.has_unusable,
        known.consecutive_failures as failures
    from tables
    left join analytics.capture_state as state on state.table_name = tables.table_name
    inner join app.crews as crew on crew.histories_table_name = tables.table_name
    inner join app.clients as client on client.id = crew.client_id
    inner join analytics.crew_discovery_state as known  -- activated or moved since: the next tick's
        on known.crew_id = crew.id and known.is_discovered and known.histories_table_name = crew.histories_table_name
    where crew.is_active
        and client.is_active
        and (%(crew_ids)s::uuid[] is null or crew.id = any(%(crew_ids)s::uuid[]))
),

read_by_views as (  -- through views, functions and parents, but not through the text of a function
    select
        waiting.id,
        'pg_class'::regclass::oid as kind,
        waiting.table_oid as oid
    from waiting
    inner join pg_class on pg_class.oid = waiting.table_oid
    where pg_class.relkind in ('v', 'm')
    union
    select
        read_by_views.id,
        used.kind,
        used.oid
    from read_by_views
    cross join lateral (
        select
            uses.refclassid as kind,
            uses.refobjid as oid
        from pg_rewrite
        inner join pg_depend as uses on uses.classid = 'pg_rewrite'::regclass and uses.objid = pg_rewrite.oid
        where pg_rewrite.ev_class = read_by_views.oid and read_by_views.kind = 'pg_class'::regclass
        union all
        select
            refclassid,
            refobjid
        from pg_depend
        where classid = 'pg_proc'::regclass and objid = read_by_views.oid and read_by_views.kind = 'pg_proc'::regclass
        union all
        select
            read_by_views.kind,
            inhrelid
        from pg_inherits
        where inhparent = read_by_views.oid and read_by_views.kind = 'pg_class'::regclass
    ) as used
    where used.kind in ('pg_class'::regclass, 'pg_proc'::regclass)
),

shared as (
    select
        waiting.id,
        state.table_name
    from waiting
    inner join analytics.capture_state as state on state.members && waiting.members
    union
    select
        waiting.id,
        state.table_name
    from read_by_views
    inner join waiting on waiting.id = read_by_views.id
    inner join analytics.capture_state as state on state.members @> array[read_by_views.oid]
    where read_by_views.kind = 'pg_class'::regclass and exists (
        select from pg_attribute
        where attrelid = read_by_views.oid and attname = 'session_id' and not attisdropped
    )
),

conflicting_crews as (
    select
        shared.id,
        string_agg(
            other.crew_code || ' of client ' || client.client_code, ', ' order by other.crew_code, client.client_code
        ) as conflicting_crews
    from shared
    inner join app.crews as other on other.histories_table_name = shared.table_name
    inner join app.clients as client on client.id = other.client_id
    where other.id <> shared.id and other.is_active and client.is_active
    group by shared.id
)

select
    waiting.id,
    waiting.code,
    waiting.table_name,
    waiting.members,
    waiting.mode,
    waiting.remark,
    (
        select jsonb_object_agg(attname, format_type(atttypid, null)) from pg_attribute
        where attrelid = waiting.table_oid and attnum > 0 and not attisdropped and class.relkind in ('r', 'p', 'v', 'm', 'f')
    ) as columns,
    class.relkind in ('v', 'f', 'm') or exists (
        select from pg_index as i
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = waiting.table_oid and i.indisvalid and i.indpred is null and a.attname = 'created_at'
    ) as has_time_index,
    conflicting_crews.conflicting_crews,
    waiting.changes,
    waiting.rest_day,
    waiting.rest_session,
    case
        when waiting.rest_day = '0001-01-02' and waiting.rest_session is null
            then (
                select sum(greatest(member.reltuples, pg_stat_get_live_tuples(member.oid), 0))::bigint
                from pg_class as member
                where member.oid = any(waiting.members)
            )
    end as size,
    waiting.has_unusable,
    waiting.failures
from waiting
left join conflicting_crews on conflicting_crews.id = waiting.id
left join pg_class as class on class.oid = waiting.table_oid
order by waiting.code;


-- name: record
-- Records the results of crews' runs. Crews whose state another session has locked, such as one that deletes them, are skipped.
-- in:  %(results)s: json array of crew_id, mode, started_at, milliseconds, sessions, warning, error (null: it succeeded)
with results as (
    select * from jsonb_to_recordset(%(results)s::jsonb) as result (
        crew_id uuid, mode text, started_at timestamptz, milliseconds bigint, sessions bigint, warning text, error text
    )
),

states as (
    select crew_id from analytics.crew_discovery_state
    where crew_id in (select crew_id from results)
    order by crew_id
    for update skip locked
)

update analytics.crew_discovery_state as state
set
    mode = result.mode,
    last_run_at = result.started_at,
    last_success_at = case when result.error is null then clock_timestamp() else state.last_success_at end,
    last_duration_ms = result.milliseconds,
    sessions_scanned = state.sessions_scanned + result.sessions,
    consecutive_failures = case when result.error is null then 0 else state.consecutive_failures + 1 end,
    last_error = result.error,
    last_warning = case when result.error is null then result.warning else state.last_warning end
from results as result
inner join states on states.crew_id = result.crew_id
where state.crew_id = result.crew_id;


-- name: is_everything
-- Whether the log says that a histories table, or the rest of it, has to be read as a whole.
-- in:  %(members)s: oids of the table and its partitions; %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
-- out: one row: is_everything
select exists(
    select from analytics.session_changes
    where operation in ('everything', 'truncate')
        and table_oid = any(%(members)s::oid[])
        and analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
) as is_everything;


-- name: every
-- Every crew, discovered or not.
-- out: one row per crew, by code: id, code, client_code, table_name, has_table
select
    crew.id,
    crew.crew_code as code,
    client.client_code,
    crew.histories_table_name as table_name,
    to_regclass(format('app.%%I', crew.histories_table_name)) is not null as has_table
from app.crews as crew
inner join app.clients as client on client.id = crew.client_id
order by crew.crew_code;


-- name: unusable
-- Counts the rows of a histories table that are left out.
-- in:  {histories}; {number}: which
-- out: one row per kind: number, kind, rows, example
select
    {number} as number,
    kind,
    count(*) as rows,
    min(example) as example
from (
    select
        case
            when session_id is null then 'rows without a session_id'
            when not analytics.is_usable_session(session_id::text) then 'rows with a session_id of more than 2,000 bytes'
            else 'rows without a usable created_at'
        end as kind,
        case when session_id is null then created_at::text else left(session_id::text, 100) end as example
    from {histories}
    where not analytics.is_usable_session(session_id::text) or not analytics.is_usable_time(created_at)
) as odd
group by kind;


-- name: gone
-- Deletes what is known of crews that no longer exist, where no foreign key has.
-- out: histories_sessions_changes
with recursive read (crew_id) as (  -- by index, crew by crew: there are many days of each
    (
        select crew_id from analytics.histories_sessions
        order by crew_id
        limit 1
    )
    union all
    select (
        select day.crew_id from analytics.histories_sessions as day
        where day.crew_id > read.crew_id
        order by day.crew_id
        limit 1
    )
    from read
    where read.crew_id is not null
),

gone as materialized (
    select crew_id
    from (
        select crew_id from analytics.crew_discovery_state
        union
        select crew_id from read
    ) as known
    where crew_id is not null and not exists (select from app.crews as crew where crew.id = known.crew_id)
),

states as (
    delete from analytics.crew_discovery_state
    where crew_id in (select crew_id from gone)
),

deletions as (
    delete from analytics.deleted_conversations
    where crew_id in (select crew_id from gone)
),

days as (
    delete from analytics.histories_sessions
    where crew_id in (select crew_id from gone)
    returning crew_id, session_id, activity_date
)

insert into analytics.histories_sessions_changes (crew_id, session_id, activity_date, operation)
select
    crew_id,
    session_id,
    activity_date,
    'update'
from days;


-- name: register
-- Registers crews that were activated, name another table than before or moved to another client: everything of their table
-- is read again. Crews whose row another session has locked, such as one that deletes them, are left for the next time.
-- in:  {crews}: app.crews; without the rows of tables that inherit from it, if state can refer to none of them
-- out: one row: crews (how many)
with active as (
    select
        crew.id,
        crew.client_id,
        crew.histories_table_name,
        crew.is_active and client.is_active and crew.histories_table_name is not null as is_discovered
    from {crews} as crew
    inner join app.clients as client on client.id = crew.client_id
),

changed as materialized (
    select active.* from active
    left join analytics.crew_discovery_state as state on state.crew_id = active.id
    where active.is_discovered <> coalesce(state.is_discovered, false)
        or active.is_discovered
        and (state.histories_table_name, state.client_id) is distinct from (active.histories_table_name, active.client_id)
),

different as materialized (
    select changed.* from changed
    where id in (select analytics.lock_parents('crews', array(select id from changed)))
),

switched_off as (
    update analytics.crew_discovery_state as state
    set is_discovered = false
    from different
    where different.id = state.crew_id and not different.is_discovered
),

remembered as (
    insert into analytics.crew_discovery_state as state (crew_id, client_id, histories_table_name)
    select
        id,
        client_id,
        histories_table_name
    from different
    where is_discovered
    on conflict (crew_id) do update set
        client_id = excluded.client_id,
        histories_table_name = excluded.histories_table_name,
        is_discovered = true
),

logged as (
    insert into analytics.session_changes (table_oid, operation)
    select distinct
        source.table_oid,
        'everything'
    from different
    inner join analytics.capture_state as source on source.table_name = different.histories_table_name
    where different.is_discovered and source.table_oid is not null
)

select count(*) as crews from changed;


-- name: outside
-- Whether a histories table has rows with a usable time, or session-days that follow them, outside of a span of days.
-- in:  {histories}; %(crew_id)s; %(first_day)s, %(after_day)s: UTC days, half-open
-- out: one row: is_any
select exists (
    select from {histories}
    where created_at >= '0001-01-02' and created_at < %(first_day)s::date::timestamp at time zone 'UTC'
) or exists (
    select from {histories}
    where created_at >= %(after_day)s::date::timestamp at time zone 'UTC' and created_at < '9999-12-30'
) or exists (
    select from analytics.histories_sessions
    where crew_id = %(crew_id)s::uuid
        and archived_at is null
        and (activity_date < %(first_day)s::date or activity_date >= %(after_day)s::date)
) as is_any;


-- name: unusable_writes
-- Counts the rows that were written to a histories table and are left out.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots;
--      %(members)s: oids of the table and its partitions
-- out: one row per kind: kind, rows, example
select
    kind,
    count(*) as rows,
    min(example) as example
from (
    select
        case
            when session_id is null then 'rows without a session_id'
            when not analytics.is_usable_session(session_id) then 'rows with a session_id of more than 2,000 bytes'
            else 'rows without a usable created_at'
        end as kind,
        coalesce(left(session_id, 100), activity_date::text) as example
    from analytics.session_changes
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
        and table_oid = any(%(members)s::oid[])
        and (
            operation = 'unusable'
            or operation in ('insert', 'update') and (
                activity_date < '0001-01-02' or activity_date >= '9999-12-30'
                or not analytics.is_usable_session(session_id)
            )
        )
) as odd
group by kind;


-- name: missed
-- Marks crews for discovery whose table was logged to, but which a tick did not visit because they were inactive, or named
-- another table, when it began: the catalog is compared anew, as if they had just been activated.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots; without the first, all crews;
--      %(visited)s: the crews that the tick visited
with logged as (
    select distinct table_oid from analytics.session_changes
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
),

missed as (
    update analytics.crew_discovery_state as state
    set is_discovered = false
    from analytics.capture_state as source
    where source.table_name = state.histories_table_name
        and state.is_discovered
        and state.crew_id <> all(%(visited)s::uuid[])
        and (%(from_snapshot)s::text is null or source.members && array(select table_oid from logged))
    returning 1
)

update analytics.catalog_state
set fingerprint = null
where exists (select from missed);
