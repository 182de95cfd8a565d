-- Creates the function that locks a view's rows in the table beneath against deletion, without waiting.
-- in:  {function}; {table}, {alias}; {id}: what the view shows as id; {column}: of the table; {key}: its value for an id, `key`
create or replace function {function}(ids uuid[]) returns setof uuid
language sql security definer set search_path = pg_catalog, pg_temp
as $function$
    select {id} from {table} as {alias}
    where {column} = any(array(select {key} from unnest(ids) as key))
    order by {column}
    for key share of {alias} skip locked
$function$;
revoke all on function {function}(uuid[]) from public;
