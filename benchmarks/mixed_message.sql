\set crew random(0, 49)
\set session random(1, 20)
insert into app.histories_:crew (session_id, message) values ('s' || :session, '{"type": "human", "content": "lorem ipsum"}');
