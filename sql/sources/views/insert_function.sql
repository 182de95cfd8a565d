-- Has conversations of crews' sessions inserted into the table beneath a view, by the rights of who inserts. Rows that the view
-- does not show are refused.
-- in:  {function}, {trigger}; {view}; {table}, {alias}; {columns}, {values}: what is written; {id}: what the view shows as id
create or replace function {function}() returns trigger
language plpgsql
as $function$
begin
    if new.channel is distinct from 'crew' or new.crew_id is null or new.session_id is null then
        raise exception 'only conversations of crews'' sessions are inserted into {view}' using errcode = 'insufficient_privilege';
    end if;
    insert into {table} as {alias} ({columns})
    values ({values})
    returning {id} into new.id;
    if not exists (select from {view} as shown where shown.crew_id = new.crew_id and shown.session_id = new.session_id) then
        raise exception '{view} does not show the row that was inserted' using errcode = 'no_data';
    end if;
    return new;
end
$function$;
create trigger {trigger} instead of insert on {view}
for each row execute function {function}();
do $grants$
declare
    used regclass;
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        grant select, insert ({columns}) on {table} to convo_pipeline;
        for used in
            select objid from pg_depend
            where classid = 'pg_class'::regclass and refobjid = {table_name}::regclass and deptype = 'a'
                and objid in (select seqrelid from pg_sequence)
        loop
            execute format('grant usage on sequence %s to convo_pipeline', used);
        end loop;
    end if;
end
$grants$;
