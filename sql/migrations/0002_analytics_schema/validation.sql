-- Raises where a table or column of `analytics` has no comment, or a table no primary key.
do $$
declare
    undocumented text;
    keyless text;
begin
    select string_agg(c.relname || '.' || a.attname, ', ') into undocumented
    from pg_class as c
    inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'analytics'::regnamespace and c.relkind = 'r' and c.relname <> 'schema_migrations'
        and col_description(c.oid, a.attnum) is null;
    if undocumented is not null then
        raise exception 'no comment on %', undocumented;
    end if;

    select string_agg(wanted, ', ') into keyless
    from unnest(array[
        'histories_sessions', 'conversation_summaries', 'crew_discovery_state'
    ]) as wanted
    where not exists (
        select from pg_constraint
        where contype = 'p' and conrelid = to_regclass('analytics.' || wanted)
    );
    if keyless is not null then
        raise exception 'missing, or without its primary key: %', keyless;
    end if;
end
$$;
