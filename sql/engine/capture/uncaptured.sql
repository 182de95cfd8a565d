-- Tables whose changes are not logged.
-- in:  %(tables)s: among these
-- out: table_name
select table_name from analytics.capture_state
where table_name = any(%(tables)s::text[]) and mode = 'window'
order by table_name;
