-- Ends what follow.sql began; keeps triggers that are there without a lake, too.
-- in:  {relation}: the table; {name}: its name; as literals; {is_logged_anyway}: whether they are
do $$
begin
    if not {is_logged_anyway} then
        perform analytics.drop_triggers({relation}::regclass, '');
    end if;
end
$$;
delete from analytics.lake_state where table_name = {name};
