-- Inserts conversations for sessions. Triggers of the application run with its search path.
-- in:  diff; {columns}
-- out: id, crew_id, session_id
insert into app.conversations ({columns})
select {columns} from diff
where change = 'inserted'
    and (select set_config('search_path', reset_val, true) from pg_settings where name = 'search_path') is not null
order by crew_id, session_id
returning id, crew_id, session_id
