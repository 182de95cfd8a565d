-- The keys that one refresh recomputes; gone with its transaction. A table, so that the planner knows how many.
create temporary table touched (
    id uuid not null
) on commit drop;
