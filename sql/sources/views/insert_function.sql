-- Has rows of a view inserted into the table beneath.
-- in:  {function}, {trigger}; {view}; {table}, {alias}; {columns}, {values}: what is written; {id}: what the view shows as id
create or replace function {function}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $function$
begin
    insert into {table} as {alias} ({columns})
    values ({values})
    returning {id} into new.id;
    return new;
end
$function$;
revoke all on function {function}() from public;
create trigger {trigger} instead of insert on {view}
for each row execute function {function}();
