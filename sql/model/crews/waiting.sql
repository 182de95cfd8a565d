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
