-- Locks rows of the application against deletion without waiting, and returns the ids of those that it locked. A refresh
-- calls it before it writes rows that refer to them. A row lock needs the UPDATE privilege, which only the owner has. Rows of a
-- view are locked in the table beneath by the function that its owner installed for that; without one, they are only looked for:
-- then the log alone tells of a deletion.
create or replace function analytics.lock_parents(parent text, ids uuid[]) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    relation record;
begin
    if parent not in ('clients', 'crews', 'people', 'contact_methods', 'conversations', 'projects', 'users') then
        raise exception 'app.% is not a table that rows of analytics refer to', parent using errcode = 'insufficient_privilege';
    end if;
    select class.relkind, locks.proname as lock_function into relation
    from pg_class as class
    left join pg_proc as locks
        on locks.oid = to_regprocedure(format('analytics.%I(uuid[])', 'lock_view_' || class.oid))
        and locks.proowner = current_user::regrole
    where class.oid = format('app.%I', parent)::regclass;
    if relation.lock_function is not null then
        return query execute format(
            'with locked as materialized (select analytics.%I($1) as id) '
            'select id from app.%I where id in (select id from locked) order by id', relation.lock_function, parent
        ) using ids;
    elsif relation.relkind = 'v' then
        return query execute format('select id from app.%I where id = any($1) order by id', parent) using ids;
    else
        return query execute
            format('select id from app.%I where id = any($1) order by id for key share skip locked', parent) using ids;
    end if;
end
$$;
revoke all on function analytics.lock_parents(text, uuid[]) from public;
