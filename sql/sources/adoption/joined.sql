-- Creates the trigger function of a table that a view joins to the table beneath. If what the view reads of the joined table has
-- changed, the source is read as a whole.
-- in:  {function}; {columns}: as text, which tells values apart that are equal, floats by all of their digits; {log}, {log_name},
--      {log_columns}, {log_values}: what is logged
create or replace function {function}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set extra_float_digits = 1
as $function$
declare
    may_write boolean;
    is_read boolean := true;
begin
    begin
        may_write := has_table_privilege({log_name}, 'insert');
        if tg_op = 'UPDATE' then
            is_read := exists (select {columns} from old_rows except all select {columns} from new_rows)
                or exists (select {columns} from new_rows except all select {columns} from old_rows);
        elsif tg_op = 'DELETE' then
            is_read := exists (select from old_rows);
        elsif tg_op = 'INSERT' then
            is_read := exists (select from new_rows);
        end if;
    exception when others or assert_failure then
        is_read := true;
    end;
    if not is_read then
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
    insert into {log} ({log_columns}) values ({log_values});
    return null;
end
$function$;
