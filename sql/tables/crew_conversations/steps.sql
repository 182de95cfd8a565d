-- name: asked
-- The sessions that a caller names.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair
-- out: crew_id, session_id
select
    crew_id,
    session_id
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id);


-- name: spans
-- The last session of each crew.
-- out: crew_id, session_id, keys (about so many)
select
    crew_id,
    max(session_id) as session_id,
    count(*) as keys
from analytics.histories_sessions
group by crew_id
order by crew_id;


-- name: diff
-- Creates the temporary table of the conversations that are missing; it is dropped at the end of the transaction. Its types are
-- those of the sessions: what a type in app.conversations refuses, such as varchar(100), is not refused before the insert.
-- out: diff (change, day, is_news, and the columns of a conversation), as sql/engine/refresh/diff.sql
create temporary table pg_temp.diff on commit drop as
select
    null::text as change,
    null::date as day_of_row,
    null::boolean as is_news,
    null::uuid as id,
    null::text as channel,
    null::text as external_id,
    null::uuid as client_id,
    null::uuid as crew_id,
    null::text as session_id,
    null::timestamptz as started_at
with no data;


-- name: refused
-- The refused conversations, by the rule that refuses them.
-- in:  %(is_all)s: first forget those that are there by now, that the application has deleted since, or whose session is gone
-- out: kind, rows, example (null: whatever names one of them is personal)
with settled as (
    delete from analytics.refused_conversations as refused
    where %(is_all)s
        and (
            exists (
                select from app.conversations as conversation
                where conversation.crew_id = refused.crew_id and conversation.session_id = refused.session_id
            )
            or exists (
                select from analytics.deleted_conversations as deleted
                where deleted.crew_id = refused.crew_id and deleted.session_id = refused.session_id
            )
            or not exists (
                select from analytics.histories_sessions as day
                where day.crew_id = refused.crew_id and day.session_id = refused.session_id
            )
        )
    returning refused.crew_id, refused.session_id
)

select
    'conversations refused by ' || refused_by as kind,
    count(*) as rows,
    null as example
from analytics.refused_conversations
where (crew_id, session_id) not in (select crew_id, session_id from settled)
group by refused_by;


-- name: insert
-- Inserts conversations for sessions, unless the application has just inserted them: all at once or, if a rule of the application
-- refuses that, in smaller and smaller batches, until each refused row is found. What is nobody's rule fails, such as a lock, a
-- timeout, a full disk or a missing privilege, also while a trigger runs. What a trigger raises itself is a rule whatever its
-- code, except those that ask for a retry. Triggers of the application run with its search path, and nothing of ours does: the
-- statement that inserts calls no function and no operator.
-- in:  diff; {columns}; {may_insert}: false: all of them are refused; as they are by a view that takes no rows
-- out: app.conversations; refused_conversations; diff (change: refused)
do $$
declare
    missing constant tid[] := array(select ctid from pg_temp.diff where change = 'inserted' order by crew_id, session_id);
    batch tid[];
    first int := 1;
    size int := cardinality(missing);
    planned bigint;
    written bigint;
    is_lost boolean;
    state text;
    context text;
    rule_name text;
    column_name text;
    trigger_names text;
    takes_rows constant boolean := (
        select
            pg_relation_is_updatable('app.conversations', true) & 8 = 8
            and (
                bool_and(pg_column_is_updatable(attrelid, attnum, false))
                or exists (select from pg_trigger where tgrelid = 'app.conversations'::regclass and tgtype & 68 = 68)
            )
        from pg_attribute
        where attrelid = 'app.conversations'::regclass
            and attname in (select attname from pg_attribute where attrelid = 'pg_temp.diff'::regclass and attnum > 0)
    );
begin
    if not {may_insert} or not takes_rows then
        insert into analytics.refused_conversations (crew_id, session_id, refused_by)
        select
            crew_id,
            session_id,
            case when {may_insert} then 'view app.conversations' else 'CREATE_CONVERSATIONS' end
        from pg_temp.diff
        where change = 'inserted'
        on conflict (crew_id, session_id) do update set
            refused_by = excluded.refused_by,
            refused_at = excluded.refused_at;
        update pg_temp.diff set change = 'refused' where change = 'inserted';
        return;
    end if;
    create temporary table pg_temp.batch on commit drop as
    select {columns} from pg_temp.diff
    with no data;
    while first <= cardinality(missing) loop
        batch := missing[first:first + size - 1];
        is_lost := false;
        begin
            truncate pg_temp.batch;
            insert into pg_temp.batch
            select {columns} from pg_temp.diff
            where ctid = any(batch) and not exists (
                select from app.conversations as known
                where known.crew_id = diff.crew_id and known.session_id = diff.session_id
            );
            get diagnostics planned = row_count;
            set local search_path to default;
            insert into app.conversations ({columns}) select {columns} from pg_temp.batch order by crew_id, session_id;
            get diagnostics written = row_count;
            set constraints all immediate;
            set local search_path to '';
            if exists (
                select from pg_temp.diff
                where ctid = any(batch) and not exists (
                    select from app.conversations as written
                    where written.crew_id = diff.crew_id and written.session_id = diff.session_id
                )
            ) then
                is_lost := true;
                raise exception 'a trigger suppressed, changed or deleted a row' using errcode = '02000';
            end if;
            first := first + size;
            size := 2 * size;
        exception when others or assert_failure then
            get stacked diagnostics
                state = returned_sqlstate,
                context = pg_exception_context,
                rule_name = constraint_name,
                column_name = column_name;
            select string_agg(quote_ident(tgname), ', ' order by tgname) into trigger_names
            from pg_trigger
            inner join pg_proc on pg_proc.oid = tgfoid
            where tgrelid = 'app.conversations'::regclass
                and not tgisinternal
                and case
                    when is_lost and written < planned then tgtype & 7 = 7  -- before insert for each row
                    when is_lost then tgtype & 4 = 4 and tgname !~ '^convo_pipelines_'
                    else strpos(context, quote_ident(proname) || '(') > 0
                end;
            if left(state, 2) not in ('02', '22', '23', '44', '54', 'P0')
                and (
                    trigger_names is null
                    or state in ('40001', '40P01', '55P03')
                    or (state = '42501' or left(state, 2) in ('40', '53', '57', '58', 'XX'))
                    and split_part(context, chr(10), 1) !~ 'PL/pgSQL.*RAISE|RAISE.*PL/pgSQL'  -- in any language
                )
            then
                raise;
            elsif cardinality(batch) > 1 then
                size := greatest(cardinality(batch) / 8, 1);
            elsif exists (
                select from pg_temp.diff
                inner join app.conversations as known on known.crew_id = diff.crew_id and known.session_id = diff.session_id
                where diff.ctid = any(batch)
            ) then
                first := first + 1;  -- the application has just inserted it
            else
                insert into analytics.refused_conversations (crew_id, session_id, refused_by)
                select
                    crew_id,
                    session_id,
                    coalesce(
                        'constraint ' || quote_ident(nullif(rule_name, '')),
                        'trigger ' || trigger_names,
                        'column ' || quote_ident(nullif(column_name, '')),
                        'error ' || state
                    )
                from pg_temp.diff
                where ctid = any(batch)
                on conflict (crew_id, session_id) do update set
                    refused_by = excluded.refused_by,
                    refused_at = excluded.refused_at;
                update pg_temp.diff set change = 'refused' where ctid = any(batch);
                first := first + 1;
            end if;
        end;
    end loop;
end
$$;


-- name: saved
-- The conversations that were inserted for sessions.
-- in:  diff; app.conversations
-- out: id, crew_id, session_id
select
    conversation.id,
    diff.crew_id,
    diff.session_id
from diff
cross join lateral (
    select id from app.conversations
    where crew_id = diff.crew_id and session_id = diff.session_id
    limit 1
) as conversation
where diff.change = 'inserted';


-- name: save
-- Inserts conversations for sessions. Triggers of the application run with its search path.
-- in:  diff; {columns}
-- out: id, crew_id, session_id
insert into app.conversations ({columns})
select {columns} from diff
where change = 'inserted'
    and (select set_config('search_path', reset_val, true) from pg_settings where name = 'search_path') is not null
order by crew_id, session_id
returning id, crew_id, session_id;


-- name: settle
-- Checks deferred constraints, and ends the application's search path.
do $$
begin
    set constraints all immediate;
    set local search_path to '';
end
$$;


-- name: saved_keys
-- Which conversations were inserted for sessions.
-- in:  saved
select jsonb_agg(jsonb_build_object('crew_id', crew_id, 'session_id', session_id)) from saved;


-- name: is_lost
-- Whether the application has changed or deleted conversations again that were inserted for sessions, as a trigger may.
-- in:  %(saved)s: jsonb, the crew_id and session_id of each
-- out: one row: is_lost
select count(*) > 0 as is_lost
from jsonb_to_recordset(%(saved)s::jsonb) as saved (crew_id uuid, session_id text)
where not exists (
    select from app.conversations as written
    where written.crew_id = saved.crew_id and written.session_id = saved.session_id
);


-- name: write
-- Notes the conversations that were inserted for sessions, and that those which are refused are to come back.
-- in:  {saved}: the conversations, inserted by this statement (save.sql) or before it (saved.sql); diff
-- out: queries of a statement: deleted_conversations; refused_conversations; conversations_changes; crew_discovery_state
inserted as (
{saved}
),

saved as (  -- without those that a trigger of the application has given another session
    select inserted.*
    from inserted
    inner join diff on diff.crew_id = inserted.crew_id and diff.session_id = inserted.session_id
    where diff.change = 'inserted'
),

restored as (
    delete from analytics.deleted_conversations as target
    using diff
    where diff.change in ('inserted', 'refused') and target.crew_id = diff.crew_id and target.session_id = diff.session_id
),

accepted as (
    delete from analytics.refused_conversations as target
    using saved
    where target.crew_id = saved.crew_id and target.session_id = saved.session_id
),

logged as (
    insert into analytics.conversations_changes (id, crew_id, session_id, operation)
    select
        id,
        crew_id,
        session_id,
        'insert'
    from saved
    where exists (select from analytics.capture_state where table_name = 'conversations' and mode = 'uncaptured')
),

counted as (
    update analytics.crew_discovery_state as state
    set conversations_created = state.conversations_created + created.conversations
    from (
        select
            crew_id,
            count(*) as conversations
        from saved
        group by crew_id
    ) as created
    where state.crew_id = created.crew_id
);


-- name: retry
-- Logs retries: the sessions of locked rows, and which transactions wrote their new messages.
-- in:  diff; %(unread_since)s: the watermark, or null
with locked as materialized (
    select distinct
        crew_id,
        session_id
    from diff
    where change = 'locked'
),

news as (
    select
        change.crew_id,
        change.session_id,
        array_agg(distinct writer.xid) as xids
    from (
        select crew_id, session_id, xid, xids from analytics.histories_sessions_changes
        union all
        select crew_id, session_id, xid, xids from analytics.crew_conversations_changes
    ) as change
    cross join lateral unnest(change.xids) as writer (xid)
    where change.xid >= coalesce(pg_snapshot_xmin(%(unread_since)s::pg_snapshot), '0'::xid8)
        and (change.crew_id, change.session_id) in (select crew_id, session_id from locked)
    group by change.crew_id, change.session_id
)

insert into analytics.crew_conversations_changes (crew_id, session_id, operation, xids)
select
    crew_id,
    session_id,
    'retry',
    news.xids
from locked
left join news using (crew_id, session_id);


-- name: expected
-- Adds the sessions whose conversation is refused to those with unread changes: that it is missing, or fits by now, is no drift.
-- in:  keys
insert into keys (crew_id, session_id)
select
    crew_id,
    session_id
from analytics.refused_conversations;
