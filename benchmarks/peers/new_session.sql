-- One session of ten messages.
-- in:  {table}; %(session)s, %(at)s: its first message, %(seconds)s: between two messages
insert into {table} (session_id, message, created_at)
select
    %(session)s,
    jsonb_build_object('type', case message %% 2 when 0 then 'human' else 'ai' end, 'content', repeat('lorem ipsum ', 10)),
    %(at)s::timestamptz + make_interval(secs => message * %(seconds)s::float8)
from generate_series(0, 9) as message;
