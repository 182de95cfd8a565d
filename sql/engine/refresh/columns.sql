-- The columns of a table that a refresh computes: those without a default.
-- in:  %(relation)s
-- out: one row: columns, in their order
select array_agg(attname::text order by attnum) as columns
from pg_attribute
where attrelid = to_regclass(%(relation)s) and attnum > 0 and not attisdropped and not atthasdef and attidentity = '';
