-- Whether a table of app does not exist.
-- in:  %(table_name)s: unquoted, in schema app
-- out: one row: is_missing
select to_regclass(format('app.%%I', %(table_name)s::text)) is null as is_missing;
