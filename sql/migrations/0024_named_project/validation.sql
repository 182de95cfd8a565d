-- Raises where the column is missing, or where it goes unnoticed that projects have no arrays.
do $$
begin
    perform named_project_id from analytics.project_link_inconsistencies where false;
    if strpos(pg_get_functiondef('analytics.source_tables(text)'::regprocedure), 'without conversation_ids') = 0 then
        raise exception 'analytics.source_tables does not look whether projects have arrays';
    end if;
end
$$;
