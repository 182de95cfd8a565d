-- Raises where a view of `analytics`, or a column of one, has no comment.
do $$
declare
    undocumented text;
begin
    select string_agg(c.relname || coalesce('.' || a.attname, ''), ', ') into undocumented
    from pg_class as c
    left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
    where c.relnamespace = 'analytics'::regnamespace and c.relkind = 'v'
        and (obj_description(c.oid) is null or col_description(c.oid, a.attnum) is null);
    if undocumented is not null then
        raise exception 'no comment on %', undocumented;
    end if;
end
$$;
