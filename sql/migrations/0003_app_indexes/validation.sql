-- Raises where a column that ticks and backfills read by leads no valid index.
do $$
declare
    missing text;
begin
    select string_agg(wanted, ', ') into missing
    from unnest(array[
        'conversations.started_at', 'messages.sent_at'
    ]) as wanted
    where not exists (
        select from pg_index as i
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisvalid
            and i.indrelid = to_regclass('app.' || split_part(wanted, '.', 1))
            and a.attname = split_part(wanted, '.', 2)
    );
    if missing is not null then
        raise exception 'no valid index leads with %', missing;
    end if;
end
$$;
