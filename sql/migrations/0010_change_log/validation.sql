-- Raises where a log could lose a row: its index on xid is missing, or a publication of all tables would stop trimming.
do $$
declare
    wrong text;
begin
    select string_agg(name, ', ') into wrong
    from unnest(array[
        'session_changes', 'conversation_changes', 'message_changes', 'identifier_changes', 'project_changes'
    ]) as name
    where not exists (
        select from pg_index as i
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisvalid and i.indpred is null and not i.indisunique and i.indrelid = to_regclass('analytics.' || name) and a.attname = 'xid'
    );
    if wrong is not null then
        raise exception 'missing, or without its index on xid: %', wrong;
    end if;

    select string_agg(relname, ', ') into wrong
    from pg_class
    where relnamespace = 'analytics'::regnamespace and relkind = 'r' and relname like '%\_changes' and relreplident <> 'f';
    if wrong is not null then
        raise exception 'replica identity is not full: %', wrong;
    end if;
end
$$;
