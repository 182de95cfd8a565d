-- The statement that creates a function.
-- in:  %(name)s: with its arguments
-- out: one row: definition
select pg_get_functiondef(%(name)s::regprocedure) as definition;
