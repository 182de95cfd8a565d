-- Whether PostgreSQL itself inserts rows of a view into the table beneath.
-- in:  %(relation)s; %(columns)s: those of the rows
-- out: one row: takes_rows
select
    pg_relation_is_updatable(%(relation)s::regclass, false) & 8 = 8
    and coalesce(bool_and(pg_column_is_updatable(attrelid, attnum, false)), true) as takes_rows
from pg_attribute
where attrelid = %(relation)s::regclass and attname = any(%(columns)s::text[]);
