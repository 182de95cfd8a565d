-- The rows of an adopted view that changes of a table beneath concern. There are none if the view no longer reads that table, or
-- if another one has taken its place. Then the view's definition has changed, and it is read as a whole.
-- beneath: the function that `convo-pipelines adopt install` has created; found_by: an array of values for each changed row
create or replace function analytics.looked_up(beneath text, found_by text[]) returns setof record
language plpgsql stable rows 100 security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if to_regprocedure(format('analytics.%I(text[])', beneath)) is not null then
        return query execute format('select * from analytics.%I($1)', beneath) using found_by;
    end if;
exception when
    undefined_table or undefined_column or undefined_function or undefined_object or invalid_schema_name or datatype_mismatch
then
    raise warning 'analytics.% finds no rows: %', beneath, sqlerrm;
end
$$;
revoke all on function analytics.looked_up(text, text[]) from public;
