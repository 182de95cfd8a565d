-- Checks deferred constraints, and ends the application's search path.
do $$
begin
    set constraints all immediate;
    set local search_path to '';
end
$$;
