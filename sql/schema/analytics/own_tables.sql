-- Fails if several rows of a table of one's own have the same key.
create or replace function analytics.is_only(rows bigint, key text) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
    if rows > 1 then
        raise cardinality_violation using message = format('several rows have the same %s', key);
    end if;
    return true;
end
$$;
