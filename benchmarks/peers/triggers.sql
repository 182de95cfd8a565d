-- An incremental view kept by hand: triggers add what a statement inserts to the row of its session, in the writer's transaction,
-- and compute a session anew of which a statement changes or deletes messages. After script_tables.sql.
alter table peers.summaries add column first_human_at timestamptz;

create view peers.computed as
select
    crew_id,
    session_id,
    count(*) as message_count,
    count(*) filter (where type = 'human') as inbound_count,
    count(*) filter (where type = 'ai') as outbound_count,
    min(created_at) as started_at,
    max(created_at) as ended_at,
    extract(epoch from max(created_at) - min(created_at)) as duration_seconds,
    extract(epoch from min(created_at) filter (where type = 'ai' and created_at >= first_human_at) - min(first_human_at))
        as first_response_seconds,
    min(first_human_at) as first_human_at
from (
    select
        crew_id,
        session_id,
        created_at,
        message ->> 'type' as type,
        min(created_at) filter (where message ->> 'type' = 'human') over (partition by crew_id, session_id) as first_human_at
    from plain.histories
) as message
group by crew_id, session_id;

create function peers.add_messages() returns trigger language plpgsql as $$
begin
    insert into peers.summaries as summary
    select
        tg_argv[0]::uuid,
        session_id,
        count(*),
        count(*) filter (where type = 'human'),
        count(*) filter (where type = 'ai'),
        min(created_at),
        max(created_at),
        extract(epoch from max(created_at) - min(created_at)),
        extract(epoch from min(created_at) filter (where type = 'ai' and created_at >= first_human_at) - min(first_human_at)),
        min(first_human_at)
    from (
        select
            message.session_id,
            message.created_at,
            message.message ->> 'type' as type,
            coalesce(
                known.first_human_at,
                min(message.created_at) filter (where message.message ->> 'type' = 'human') over (partition by message.session_id)
            ) as first_human_at
        from new_rows as message
        left join peers.summaries as known on known.crew_id = tg_argv[0]::uuid and known.session_id = message.session_id
    ) as message
    group by session_id
    on conflict (crew_id, session_id) do update set
        message_count = summary.message_count + excluded.message_count,
        inbound_count = summary.inbound_count + excluded.inbound_count,
        outbound_count = summary.outbound_count + excluded.outbound_count,
        started_at = least(summary.started_at, excluded.started_at),
        ended_at = greatest(summary.ended_at, excluded.ended_at),
        duration_seconds = extract(
            epoch from greatest(summary.ended_at, excluded.ended_at) - least(summary.started_at, excluded.started_at)
        ),
        first_response_seconds = coalesce(summary.first_response_seconds, excluded.first_response_seconds),
        first_human_at = coalesce(summary.first_human_at, excluded.first_human_at);
    return null;
end
$$;

create function peers.compute_again() returns trigger language plpgsql as $$
declare
    crew uuid := tg_argv[0];
    sessions text[] := array(select distinct session_id from old_rows);
begin
    delete from peers.summaries where crew_id = crew and session_id = any(sessions);
    insert into peers.summaries select * from peers.computed where crew_id = crew and session_id = any(sessions);
    return null;
end
$$;

insert into peers.summaries select * from peers.computed;

create index on peers.summaries (ended_at);

select
    format('create trigger %s after %s on app.%I referencing %s for each statement execute function peers.%s(%L)',
        kind.name, kind.operation, crew.histories_table_name, kind.rows, kind.function, crew.id)
from app.crews as crew
cross join (
    values
    ('inserted', 'insert', 'new table as new_rows', 'add_messages'),
    ('updated', 'update', 'old table as old_rows', 'compute_again'),
    ('deleted', 'delete', 'old table as old_rows', 'compute_again')
) as kind (name, operation, rows, function) \gexec
