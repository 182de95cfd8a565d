-- What the examples read besides the application's tables: two tables of yours, and rows that the sample data lacks.

-- reply_sla: in how many minutes a client is answered.
create table app.reply_targets (
    client_id uuid primary key references app.clients on delete cascade,
    minutes int not null
);
insert into app.reply_targets
select id, case client_code when 'C001' then 60 else 240 end from app.clients;

-- tool_calls: the messages of tools in the histories tables of all crews, kept by a trigger on each.
create table app.tool_messages (
    crew_id uuid references app.crews on delete cascade,
    message_id bigint,
    session_id text not null,
    tool text not null,
    called_at timestamptz not null,
    primary key (crew_id, message_id)
);
create function app.keep_tool_message() returns trigger language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' then
        delete from app.tool_messages where crew_id = tg_argv[0]::uuid;
    elsif tg_op <> 'INSERT' then
        delete from app.tool_messages where crew_id = tg_argv[0]::uuid and message_id = old.id;
    end if;
    if tg_op in ('INSERT', 'UPDATE') and new.message ->> 'type' = 'tool' then
        insert into app.tool_messages
        values (tg_argv[0]::uuid, new.id, new.session_id, coalesce(new.message ->> 'name', 'unknown'), new.created_at);
    end if;
    return null;
end
$$;
do $$
declare
    crew record;
begin
    for crew in select id, histories_table_name as name from app.crews loop
        execute format(
            'create trigger keep_tool_message after insert or update or delete on app.%I '
            'for each row execute function app.keep_tool_message(%L)', crew.name, crew.id
        );
        execute format(
            'create trigger keep_no_tool_message after truncate on app.%I '
            'for each statement execute function app.keep_tool_message(%L)', crew.name, crew.id
        );
        execute format(
            $query$
            insert into app.tool_messages
            select %L, id, session_id, coalesce(message ->> 'name', 'unknown'), created_at
            from app.%I where message ->> 'type' = 'tool'
            $query$, crew.id, crew.name
        );
    end loop;
end
$$;

-- crew_handovers: in the sample data, nobody takes over from a crew. Here somebody does, in a twentieth of the sessions.
insert into app.messages (conversation_id, direction, sent_at)
select id, 'outbound', started_at + interval '3 minutes'
from app.conversations
where crew_id is not null and hashtext(session_id) % 20 = 0;
