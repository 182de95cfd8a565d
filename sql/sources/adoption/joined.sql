-- Creates the trigger function of a table that a view joins to the one beneath: if a column that the view reads has changed, the
-- source is read as a whole. A row that is inserted is read by none if a foreign key says so.
-- in:  {function}; {columns}; {log}, {log_columns}, {log_values}: what is logged; {base}, {base_column}, {joined_column}: the oid
--      of the table beneath, and the equation of the join, or nulls
create or replace function {function}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
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
            is_read := exists (select from new_rows) and not exists (
                select from pg_constraint as key
                inner join pg_attribute as referring
                    on referring.attrelid = key.conrelid and key.conkey = array[referring.attnum]
                inner join pg_attribute as referred
                    on referred.attrelid = key.confrelid and key.confkey = array[referred.attnum]
                where key.contype = 'f' and key.convalidated and not key.condeferrable
                    and key.conrelid = {base}::oid and referring.attname = {base_column}
                    and key.confrelid = tg_relid and referred.attname = {joined_column}
            );
        end if;
    exception when others then
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
