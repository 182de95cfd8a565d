-- Locks rows of the application against deletion without waiting, and returns the ids of those that it locked. A refresh
-- calls it before it writes rows that refer to them. A row lock needs the UPDATE privilege, which only the owner has.
create function analytics.lock_parents(parent text, ids uuid[]) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if parent not in ('clients', 'crews', 'people', 'contact_methods', 'conversations', 'projects', 'users') then
        raise exception 'app.% is not a table that rows of analytics refer to', parent using errcode = 'insufficient_privilege';
    end if;
    return query execute
        format('select id from app.%I where id = any($1) order by id for key share skip locked', parent) using ids;
end
$$;
revoke all on function analytics.lock_parents(text, uuid[]) from public;
