-- in:  %(tables)s
-- out: those of them whose changes are not logged: table_name
select table_name from analytics.capture_state
where table_name = any(%(tables)s::text[]) and mode = 'window'
order by table_name;
