-- Creates the temporary table of the current spellings of the keys' sources. Read once: changes that are written meanwhile are
-- logged, and read by the next tick.
-- in:  {places}
-- out: places
create temporary table pg_temp.places on commit drop as
{places};
