-- The sessions that views of app show whose names end with _of_no_crew. Each of these has the columns of a histories table, and
-- the rows of a table of chat messages that no crew has. It runs as the pipeline, which reads all views of app.
create or replace function analytics.sessions_of_no_crew() returns table (
    view_name text, session_id text, message_count bigint, first_message_at timestamptz, last_message_at timestamptz
)
language plpgsql stable rows 100 security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    relation name;
begin
    for relation in
        select class.relname
        from pg_class as class
        inner join pg_attribute as attribute on attribute.attrelid = class.oid
        where class.relnamespace = to_regnamespace('app') and class.relkind = 'v' and class.relname like '%\_of\_no\_crew'
            and attribute.attname in ('session_id', 'message', 'created_at')
        group by class.oid, class.relname
        having count(*) = 3
        order by class.relname
    loop
        return query execute format(
            'select %L, session_id::text, count(*), min(created_at) filter (where analytics.is_usable_time(created_at)), '
            'max(created_at) filter (where analytics.is_usable_time(created_at)) from app.%I group by session_id::text',
            relation, relation
        );
    end loop;
end
$$;
revoke all on function analytics.sessions_of_no_crew() from public;

create or replace view analytics.unmatched_sessions as
select
    view_name,
    session_id,
    message_count,
    first_message_at,
    last_message_at
from analytics.sessions_of_no_crew();

comment on view analytics.unmatched_sessions is
'Sessions of tables that several crews share and that no crew has: they are in no other table. They are read from the '
'views of app whose names end with _of_no_crew, which `convo-pipelines adopt n8n` makes. Personal data.';
comment on column analytics.unmatched_sessions.view_name is 'The view in app that shows their rows.';
comment on column analytics.unmatched_sessions.session_id is 'The session. Personal data.';
comment on column analytics.unmatched_sessions.message_count is 'Number of messages.';
comment on column analytics.unmatched_sessions.first_message_at is 'Time of the first message; null: it is unknown.';
comment on column analytics.unmatched_sessions.last_message_at is 'Time of the last message; null: it is unknown.';
