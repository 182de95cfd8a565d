-- The function that logs changes of a source. A trigger reads no other table. It collects the logged columns inside an exception
-- block without writing, so that no statement of the application fails or uses another transaction id, and logs "everything of
-- this table" where it could not. If the log cannot be written, the statement succeeds all the same. Then the transaction leaves
-- a mark that needs no privilege, by which the next look learns to read everything: an empty large object with one of the last
-- oids.
--
-- Most statements change one row (is_single), and none of its logged columns. These travel in variables, which is twice as fast
-- as arrays. "limit 1" keeps the plan cheap in a session whose first statement changed millions of rows. What only one of both
-- sides of an update has, because it changed or because a view shows the row only then, came or went.
-- Equal values may look different, as 1.0 and 1.00, and a key may be computed of what they look like: both are logged.
-- in:  {function}, {log}, {log_name}, {columns}; of each column, by its number: {declared}: its variables, {old_row}, {new_row},
--      {values}, {new_values}, {aggregated}, {nulls}, {one}, {all}, {numbered}; {is_same}, {distinct}, {as_shown}: how values are
--      compared; of a derived table, {timed} and {time}: logged_at
create or replace function analytics.{function}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    operation text := lower(tg_op collate "C");
    is_alone boolean := true;  -- no other table decides whether a row is there, as one may of a view
    may_write boolean;
    is_single boolean;
    {declared}
    operations text[];  -- of an update's rows
begin
    begin
        may_write := has_table_privilege({log_name}, 'insert');  -- fails without the right to use the schema
        if tg_level = 'ROW' then
            if tg_op <> 'INSERT' then {old_row} end if;
            if tg_op <> 'DELETE' then {new_row} end if;
        elsif tg_op = 'INSERT' then
            select {values}, not exists (select from new_rows offset 1) into {one}, is_single from new_rows limit 1;
            if not is_single then
                select {aggregated} into {all} from (select {distinct}{values} from new_rows) as changed;
            end if;
        elsif tg_op = 'DELETE' then
            select {values}, not exists (select from old_rows offset 1) into {one}, is_single from old_rows limit 1;
            if not is_single then
                select {aggregated} into {all} from (select {distinct}{values} from old_rows) as changed;
            end if;
        elsif tg_op = 'UPDATE' then
            select
                {new_values},
                {is_same}
                and not exists (select from old_rows offset 1)
                and not exists (select from new_rows offset 1)
                and is_alone
            into {one}, is_single
            from old_rows cross join new_rows limit 1;
            if is_single is not true then
                select {aggregated}, array_agg(change) into {all}, operations from (
                    select
                        {numbered},
                        case when bool_and(is_new) then 'insert' when bool_or(is_new) then 'update' else 'delete' end as change
                    from (select {values}, false as is_new from old_rows union all select {values}, true from new_rows) as sides
                    group by {numbered}{as_shown}, case when not is_alone then is_new end
                ) as changed;
            end if;
        else
            {nulls}
        end if;
    exception when others or assert_failure then
        {nulls}
        operations := null;
        operation := 'everything';
    end;
    if may_write is not true then
        raise warning '% may not write %: every table will be read again', current_user, {log_name};
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
    if is_single then
        insert into analytics.{log} ({columns}, operation{timed}) values ({one}, operation{time});
    else
        insert into analytics.{log} ({columns}, operation{timed}) select {numbered}, coalesce(change, operation){time}
        from unnest({all}, operations) as changed ({numbered}, change);
    end if;
    return null;
end
$$;
revoke all on function analytics.{function}() from public;
