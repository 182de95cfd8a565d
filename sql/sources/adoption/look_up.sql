-- Creates the function that finds the rows of a view which changed rows of a table beneath concern, as they are now. If an
-- expression fails, it finds all rows of which none does: a view whose expression fails for a row cannot show it.
-- in:  {function}; {types}: the logged columns; {rows}: the statements that return the rows; {each}: those that do so one by one;
--      {pins}: settings; {name}: of the view
drop function if exists {function}(text[]);
create function {function}(found_by text[]) returns table ({types}, operation text)
language plpgsql stable set search_path = pg_catalog, pg_temp {pins}
as $look_up$
#variable_conflict use_column
declare
    convo_row record;
begin
    {rows};
exception when others or assert_failure then
    raise warning '%: all of its rows are read again: %', {name}, sqlerrm;
    {each};
end
$look_up$;
