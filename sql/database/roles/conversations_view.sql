-- The view again, in place of the table of conversations_table.sql.
do $$
begin
    if to_regclass('app.conversations_view') is not null then
        drop table app.conversations;
        alter view app.conversations_view rename to conversations;
    end if;
end
$$;
