-- A session's first message turns out to be the AI's; another session's messages are moved an hour back.
-- in:  {table}; retyped, moved: sessions
update {table} set message = message || '{{"type": "ai"}}'
where id = (select min(id) from {table} where session_id = %(retyped)s);

update {table} set created_at = created_at - interval '1 hour'
where session_id = %(moved)s;
