-- What a row of the application must have to be counted; what was odd; and how rows that ours refer to are locked.

-- A time that Python, pandas and a calendar can hold: not infinity, not the year 20260.
create function analytics.is_usable_time(at timestamptz) returns boolean
language sql immutable parallel safe
return coalesce(at >= '0001-01-02 00:00:00+00' and at < '9999-12-30 00:00:00+00', false);

-- A session id that fits the unique index of app.conversations, whatever its characters.
create function analytics.is_usable_session(session_id text) returns boolean
language sql immutable parallel safe
return coalesce(octet_length(session_id) <= 2000, false);

-- The type of a message; null where the value is odd. A json column may hold what cannot be taken apart.
create function analytics.message_type(message jsonb) returns text
language sql immutable parallel safe
return message ->> 'type';

create function analytics.message_type(message json) returns text
language plpgsql immutable
as $$
begin
    return message ->> 'type';
exception when others then
    return null;
end
$$;

create table analytics.oddities (
    asset_key text not null,
    crew_id uuid,
    kind text not null,
    rows bigint not null,
    example text,
    remedy text not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    unique nulls not distinct (asset_key, crew_id, kind)
);
alter table analytics.oddities replica identity full;

comment on table analytics.oddities is
'Rows of the application that are left out or read otherwise than written, by table, crew and kind. What a tick meets is '
'noted; the nightly reconcile counts them all, and drops what is no longer there.';
comment on column analytics.oddities.asset_key is 'The derived table that met them.';
comment on column analytics.oddities.crew_id is 'The crew; null: the table is not read per crew.';
comment on column analytics.oddities.kind is 'What is odd about them.';
comment on column analytics.oddities.rows is 'How many: after a reconcile all there are, later at least so many.';
comment on column analytics.oddities.example is 'The key of one of them.';
comment on column analytics.oddities.remedy is 'What to do about them.';
comment on column analytics.oddities.first_seen_at is 'When the first was met.';
comment on column analytics.oddities.last_seen_at is 'When the last was met.';

-- Locks rows of the application against deletion, and returns those that it got: nobody is waited for. A refresh calls it
-- before it writes rows that refer to them. It needs the right to update a column, which only their owner has.
create function analytics.lock_parents(parent text, ids uuid[]) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if parent not in ('clients', 'crews', 'people', 'contact_methods', 'conversations', 'projects', 'users') then
        raise exception 'app.% is not a table that rows of analytics refer to', parent using errcode = 'insufficient_privilege';
    end if;
    return query execute
        format('select id from app.%I where id = any($1) order by id for key share skip locked', parent) using ids;
end
$$;
revoke all on function analytics.lock_parents(text, uuid[]) from public;

-- "Everything of this table", and deletions, are found without reading all that is logged.
create index session_changes_deletions on analytics.session_changes (table_oid, xid)
where operation in ('delete', 'truncate');
create index session_changes_everything on analytics.session_changes (xid)
where operation in ('everything', 'truncate');
create index conversation_changes_everything on analytics.conversation_changes (xid)
where conversation_id is null and crew_id is null;
create index message_changes_everything on analytics.message_changes (xid) where message_id is null;
create index identifier_changes_everything on analytics.identifier_changes (xid) where id is null;
create index project_changes_everything on analytics.project_changes (xid) where project_id is null;

-- Where one table is asked for, no other's triggers are looked at.
create or replace function analytics.source_tables(only_name text default null) returns table (
    name text, is_histories boolean, log_function text, table_oid oid, members oid[], obstacle text, is_fed boolean,
    is_captured boolean, identity text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive named as (
        select distinct crew.histories_table_name::text as name, true as is_histories, 'log_sessions' as log_function
        from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        where crew.is_active and client.is_active and octet_length(crew.histories_table_name) <= 63
            and crew.histories_table_name not in (
            'crews', 'people', 'contact_methods', 'conversations', 'messages', 'message_recipients', 'projects'
        )
        union all
        select wanted.name, false, wanted.log_function
        from (
            values
            ('crews', 'log_identifiers'), ('people', 'log_identifiers'),
            ('contact_methods', 'log_identifiers'), ('conversations', 'log_conversations'), ('messages', 'log_messages'),
            ('message_recipients', 'log_recipients'), ('projects', 'log_projects')
        ) as wanted (name, log_function)
    ),
    roots as (
        select named.*, to_regclass(format('app.%I', named.name))::oid as table_oid
        from named
        where only_name is null or named.name = only_name
    ),
    members (name, oid) as (
        select roots.name, roots.table_oid from roots
        where roots.table_oid is not null
        union
        select members.name, pg_inherits.inhrelid
        from members
        inner join pg_inherits on pg_inherits.inhparent = members.oid and not pg_inherits.inhdetachpending
    ),
    parents as (  -- of roots that are themselves partitions or children: rows reach them without naming them
        select inhrelid as oid, string_agg(inhparent::text, ',' order by inhparent) as of
        from pg_inherits
        where not inhdetachpending and inhrelid in (select members.oid from members)
        group by inhrelid
    ),
    capturing as (
        select
            trigger.tgrelid,
            array_agg(trigger.tgname::text order by trigger.tgname) filter (where trigger.tgenabled = 'A') as names,
            string_agg(trigger.xmin::text, ',' order by trigger.tgname) as versions
        from pg_trigger as trigger
        where trigger.tgname like 'convo\_pipelines\_%' and trigger.tgrelid in (select members.oid from members)
        group by trigger.tgrelid
    ),
    files as (
        select
            members.name,
            class.oid,
            class.relkind,
            concat_ws(':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of) as identity,
            coalesce(capturing.names, array[]::text[]) as triggers,
            bool_or(fed.srrelid is not null or members.oid = roots.table_oid and parents.oid is not null)
            over (partition by members.name) as is_fed
        from members
        inner join roots on roots.name = members.name
        left join parents on parents.oid = members.oid
        inner join pg_class as class on class.oid = members.oid
        left join capturing on capturing.tgrelid = class.oid
        left join pg_subscription_rel as fed on fed.srrelid = class.oid
    ),
    described as (
        select
            files.name,
            array_agg(files.oid order by files.oid) as members,
            case
                when bool_or(files.relkind in ('v', 'm')) then 'it is a view'
                when bool_or(files.relkind = 'f') then 'it is a foreign table, or has a foreign partition'
            end as obstacle,
            bool_or(files.is_fed) as is_fed,
            string_agg(files.identity, ' ' order by files.oid) as identity,
            bool_and(
                files.triggers @> array['convo_pipelines_truncate'] and case
                    when not files.is_fed then
                        files.triggers @> array['convo_pipelines_delete', 'convo_pipelines_insert', 'convo_pipelines_update']
                    else files.relkind = 'p' or files.triggers @> array['convo_pipelines_row']
                end
            ) as is_captured
        from files
        group by files.name
    )
    select
        roots.name,
        roots.is_histories,
        roots.log_function,
        roots.table_oid,
        described.members,
        described.obstacle,
        coalesce(described.is_fed, false),
        coalesce(described.is_captured, false) and described.obstacle is null,
        coalesce(described.identity, 'absent')
    from roots
    left join described on described.name = roots.name
$$;

-- The catalog as it was when it was last looked at table by table.
create table analytics.catalog_state (
    is_the_one boolean primary key default true check (is_the_one),
    fingerprint text,
    seen_at timestamptz not null default now()
);
insert into analytics.catalog_state default values;

comment on table analytics.catalog_state is 'When the catalog was last looked at table by table: one row. Internal.';
comment on column analytics.catalog_state.is_the_one is 'Always true.';
comment on column analytics.catalog_state.fingerprint is
'Of the tables, partitions, triggers, crews and clients at that time; null: to be looked at.';
comment on column analytics.catalog_state.seen_at is 'When that was.';

-- Which tables share rows: a histories table belongs to one client.
create index capture_state_members on analytics.capture_state using gin (members);

-- Messages at no usable time are left out of the days.
create or replace view analytics.client_activity_daily as
with counted as (
    select
        coalesce(owner.client_id, crew.client_id) as client_id,
        day.activity_date,
        count(*) as sessions,
        sum(day.message_count) as messages,
        0 as conversations_started,
        0 as conversations_closed
    from analytics.histories_sessions as day
    inner join app.crews as crew on crew.id = day.crew_id
    left join app.conversations as conversation
        on conversation.crew_id = day.crew_id and conversation.session_id = day.session_id
    left join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
    group by 1, 2
    union all
    select
        owner.client_id,
        (message.sent_at at time zone 'UTC')::date,
        0,
        count(*),
        0,
        0
    from app.messages as message
    inner join analytics.conversation_owners as owner on owner.conversation_id = message.conversation_id
    where owner.client_id is not null and analytics.is_usable_time(message.sent_at)
    group by 1, 2
    union all
    select client_id, (started_at at time zone 'UTC')::date, 0, 0, count(*), 0
    from analytics.conversation_summaries
    where client_id is not null
    group by 1, 2
    union all
    select client_id, (closed_at at time zone 'UTC')::date, 0, 0, 0, count(*)
    from analytics.conversation_summaries
    where client_id is not null and closed_at is not null
    group by 1, 2
),

responses as (
    select
        client_id,
        (started_at at time zone 'UTC')::date as activity_date,
        percentile_cont(0.5) within group (order by first_response_seconds) as first_response_median_seconds,
        percentile_cont(0.9) within group (order by first_response_seconds) as first_response_p90_seconds
    from analytics.conversation_summaries
    where client_id is not null
    group by 1, 2
)

select
    counted.client_id,
    client.client_code,
    counted.activity_date,
    sum(counted.sessions)::bigint as sessions,
    sum(counted.messages)::bigint as messages,
    sum(counted.conversations_started)::bigint as conversations_started,
    sum(counted.conversations_closed)::bigint as conversations_closed,
    responses.first_response_median_seconds,
    responses.first_response_p90_seconds
from counted
inner join app.clients as client on client.id = counted.client_id
left join responses
    on responses.client_id = counted.client_id and responses.activity_date = counted.activity_date
group by
    counted.client_id, client.client_code, counted.activity_date, responses.first_response_median_seconds,
    responses.first_response_p90_seconds;

-- A crew that is given to another client is looked at again: its table may be another client's.
alter table analytics.crew_discovery_state add column client_id uuid;
update analytics.crew_discovery_state as state
set client_id = crew.client_id
from app.crews as crew
where crew.id = state.crew_id;
comment on column analytics.crew_discovery_state.client_id is 'Its client at the last look.';

comment on column analytics.session_changes.session_id is
'The session; with operation everything: of its day, after this session; null: see operation.';
comment on column analytics.conversation_changes.source is
'The table whose row changed; "… again": what a refresh of that table left for its next tick, because it was locked.';
comment on column analytics.identifier_changes.source is
'The table whose row changed; "… again": what a refresh of that table left for its next tick, because it was locked.';

do $$
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        alter table analytics.oddities owner to convo_pipeline;
        alter table analytics.catalog_state owner to convo_pipeline;
    end if;
end
$$;
