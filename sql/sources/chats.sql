-- name: rows
-- A part of a view of histories over a table of chat messages.
-- in:  {session}, {message}, {created_at}: expressions with their names; {table}; {where}: which rows, or nothing
select
    {session},
    {message},
    {created_at}
from {table}{where};


-- name: view
-- in:  {view}; {selects}: parts as `rows`
create or replace view {view} as
{selects};


-- name: client
-- in:  {code}
insert into app.clients (client_code, name)
values ({code}, {code});


-- name: crew
-- in:  {client_code}, {code}, {name}, {view}
insert into app.crews (client_id, crew_code, name, histories_table_name)
select
    id,
    {code},
    {name},
    {view}
from app.clients
where client_code = {client_code};


-- name: add_created_at
-- Rows that are there keep null: when they were written is unknown.
-- in:  {table}
alter table {table} add column created_at timestamptz, alter column created_at set default now();


-- name: index
-- in:  {index}, {table}, {created_at}: an expression
create index concurrently {index} on {table} ({created_at});


-- name: index_of_partitions
-- The same for a partitioned table, whose index cannot be built concurrently.
-- in:  {index}, {table}, {created_at}
create index {index} on {table} ({created_at});


-- name: is_pattern
-- Fails if a text is no regular expression.
-- in:  %(pattern)s
-- out: one row
select substring('' from %(pattern)s::text);


-- name: agents
-- The clients and agents of a table of chat messages.
-- in:  {client}, {agent}, {session}, {created_at}: expressions; {table}; {most}: return so many at most
-- out: a row for each client and agent (null: none): client, agent, rows, sessions, without_time (rows)
select
    nullif({client}::text, '') as client,
    nullif({agent}::text, '') as agent,
    count(*) as rows,
    count(distinct {session}) as sessions,
    count(*) filter (where {created_at} is null) as without_time
from {table}
group by 1, 2
order by rows desc, client, agent
limit {most};


-- name: names
-- The names that an application gives to its agents.
-- in:  {table}
-- out: a row for each: agent, name
select
    id::text as agent,
    name::text as name
from {table};


-- name: app
-- What there is of schema app.
-- out: one row: has_crews, has_views (its crews or clients are a view over tables of the owner), is_other (it has tables, but none
--      of crews)
select
    to_regclass('app.crews') is not null as has_crews,
    coalesce(bool_or(relkind = 'v' and relname in ('clients', 'crews')), false) as has_views,
    count(*) > 0 and to_regclass('app.crews') is null as is_other
from pg_class
where relnamespace = to_regnamespace('app') and relkind in ('r', 'p', 'v', 'm', 'f');


-- name: clients
-- out: a row for each: code
select client_code::text as code from app.clients;


-- name: crews
-- out: a row for each: code, client_code, table_name, is_active
select
    crew.crew_code::text as code,
    client.client_code::text as client_code,
    crew.histories_table_name::text as table_name,
    crew.is_active and client.is_active as is_active
from app.crews as crew
inner join app.clients as client on client.id = crew.client_id
order by crew.crew_code;


-- name: relations
-- What there is in schema app.
-- out: a row for each: oid, name, definition (of a view, or null), reads (the oids of what the view reads)
select
    class.oid::bigint as oid,
    class.relname::text as name,
    case when class.relkind = 'v' then pg_get_viewdef(class.oid) end as definition,
    array(
        select depend.refobjid::bigint
        from pg_rewrite as rule
        inner join pg_depend as depend on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid
        where rule.ev_class = class.oid and depend.refclassid = 'pg_class'::regclass and depend.refobjid <> class.oid
    ) as reads
from pg_class as class
where class.relnamespace = to_regnamespace('app');


-- name: definition
-- out: one row: definition (of the view pg_temp.convo_chats, as PostgreSQL writes it)
select pg_get_viewdef('pg_temp.convo_chats'::regclass) as definition;


-- name: drop_index
-- in:  {index}: whose build was interrupted
drop index concurrently {index};


-- name: indexes
-- What is indexed of a table.
-- in:  %(table_oid)s
-- out: one row: is_partitioned, valid, invalid (names of its indexes), columns (that are the first of one)
select
    class.relkind = 'p' as is_partitioned,
    coalesce(array_agg(name.relname::text) filter (where index.indisvalid), array[]::text[]) as valid,
    coalesce(array_agg(name.relname::text) filter (where not index.indisvalid), array[]::text[]) as invalid,
    coalesce(
        array_agg(attribute.attname::text) filter (where index.indisvalid and index.indpred is null), array[]::text[]
    ) as columns
from pg_class as class
left join pg_index as index on index.indrelid = class.oid
left join pg_class as name on name.oid = index.indexrelid
left join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = index.indkey[0]
where class.oid = %(table_oid)s::oid
group by class.oid;


-- name: outcome
-- What came out of a tick.
-- in:  %(codes)s: of crews
-- out: a row for each: crew, capture (captured, or why not), messages, sessions, summaries, left_out (messages)
select
    crew.crew_code as crew,
    case when state.mode = 'captured' then 'captured' else coalesce(state.remark, 'not read yet') end as capture,
    (
        select coalesce(sum(day.message_count), 0)::bigint from analytics.histories_sessions as day
        where day.crew_id = crew.id
    ) as messages,
    (
        select count(distinct day.session_id) from analytics.histories_sessions as day
        where day.crew_id = crew.id
    ) as sessions,
    (
        select count(*) from analytics.conversation_summaries as summary
        where summary.crew_id = crew.id
    ) as summaries,
    (
        select coalesce(sum(oddity.rows), 0)::bigint from analytics.oddities as oddity
        where oddity.crew_id = crew.id and oddity.asset_key = 'histories_sessions' and oddity.kind like 'rows %%'
    ) as left_out
from app.crews as crew
left join analytics.capture_state as state on state.table_name = crew.histories_table_name
where crew.crew_code = any(%(codes)s::text[])
order by crew.crew_code;


-- name: unmatched
-- Sessions that no crew has.
-- in:  %(views)s: the names of the views in app that show them
-- out: one row: sessions
select count(*) as sessions from analytics.unmatched_sessions
where view_name = any(%(views)s::text[]);
