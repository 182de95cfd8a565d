-- in: {table}: peers look sessions up by their id
create index on {table} (session_id);
