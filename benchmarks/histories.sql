-- One crew's histories table: sessions of ten messages, 30 s apart, evenly spread over the days up to the end.
-- in:  {table}; %(sessions)s, %(crew)s, %(seconds)s: between two sessions, %(until)s
insert into {table} (session_id, message, created_at)
select
    'session-' || %(crew)s || '-' || session,
    jsonb_build_object(
        'type', case message %% 2 when 0 then 'human' else 'ai' end,
        'content', repeat('lorem ipsum ', 10),
        'additional_kwargs', '{{}}'::jsonb,
        'response_metadata', '{{}}'::jsonb
    ),
    %(until)s::timestamptz - make_interval(secs => (%(sessions)s - session) * %(seconds)s::float8 + 600 - message * 30)
from generate_series(1, %(sessions)s) as session, generate_series(0, 9) as message;
