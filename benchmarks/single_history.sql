-- One message of a session, as chat memories write it; run by pgbench.
\set session random(1, 1000)
insert into app.histories (session_id, message)
values (
    'session-' || :session,
    '{"type": "human", "content": "lorem ipsum lorem ipsum lorem ipsum lorem ipsum", "additional_kwargs": {}}'
);
