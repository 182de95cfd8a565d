-- Raises where a column that ticks and backfills read by leads no valid index.
do $$
declare
    missing text;
begin
    select string_agg(table_name || '.' || column_name, ', ') into missing
    from analytics.missing_app_indexes;
    if missing is not null then
        raise exception 'no valid index leads with %', missing;
    end if;
end
$$;
