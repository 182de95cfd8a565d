-- Creates the trigger function of a table that a view reads beside the one beneath. If what the view reads of it has changed, it
-- logs what leads to the rows of the view, or that the source has to be read as a whole.
-- in:  {function}; {columns}: that the view reads, as text, which tells values apart that are equal; {found_by}: an array of
--      those that lead to its rows; {most}: of more rows, everything is read; {log}, {log_name}; {written}, {everything}: the
--      statements that write the log
create or replace function {function}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set extra_float_digits = 1
as $function$
declare
    may_write boolean;
    is_everything boolean := false;
    found_by text[];
begin
    begin
        may_write := has_table_privilege({log_name}, 'insert');
        if tg_op = 'UPDATE' then
            select array_agg(distinct {found_by}) into found_by from (
                (select {columns} from old_rows except all select {columns} from new_rows)
                union all
                (select {columns} from new_rows except all select {columns} from old_rows)
            ) as changed;
        elsif tg_op = 'DELETE' then
            select array_agg(distinct {found_by}) into found_by from (select {columns} from old_rows) as changed;
        elsif tg_op = 'INSERT' then
            select array_agg(distinct {found_by}) into found_by from (select {columns} from new_rows) as changed;
        end if;
        is_everything := tg_op = 'TRUNCATE' or coalesce(array_length(found_by, 1) > {most}, false);
    exception when others or assert_failure then
        is_everything := true;
    end;
    if found_by is null and not is_everything then
        return null;
    end if;
    if may_write is not true then
        raise warning '% may not write %: every table will be read again', current_user, {log_name};
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
    if is_everything then
        {everything};
    else
        {written};
    end if;
    return null;
end
$function$;
