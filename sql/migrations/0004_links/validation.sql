-- Raises where a link table lacks a unique key, an index that leads with its conversation, or a foreign key.
do $$
declare
    missing text;
begin
    select string_agg(wanted, ', ') into missing
    from unnest(array[
        'people_conversations (person_id, conversation_id)', 'clients_conversations (client_id, conversation_id)',
        'project_conversations (conversation_id)', 'participant_resolutions (contact_method_id)'
    ]) as wanted
    where not exists (
        select from pg_index as i
        where i.indisunique and i.indisvalid
            and i.indrelid = to_regclass('analytics.' || split_part(wanted, ' ', 1))
            and pg_get_indexdef(i.indexrelid) like '%' || substr(wanted, strpos(wanted, '('))
    );
    if missing is not null then
        raise exception 'no unique index on %', missing;
    end if;

    select string_agg(wanted, ', ') into missing
    from unnest(array['people_conversations', 'clients_conversations', 'project_conversations']) as wanted
    where not exists (
        select from pg_index as i
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisvalid and i.indrelid = to_regclass('analytics.' || wanted) and a.attname = 'conversation_id'
    );
    if missing is not null then
        raise exception 'no index leads with conversation_id on %', missing;
    end if;

    select string_agg(wanted, ', ') into missing
    from unnest(array['people_conversations', 'clients_conversations', 'project_conversations']) as wanted
    where (
        select count(*) from pg_constraint
        where contype = 'f' and confdeltype = 'c' and conrelid = to_regclass('analytics.' || wanted)
    ) <> 2;
    if missing is not null then
        raise exception 'both foreign keys must cascade on %', missing;
    end if;
end
$$;
