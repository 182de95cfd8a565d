-- Whether PostgreSQL itself, or a trigger of the owner, inserts rows of a view into the table beneath.
-- in:  %(relation)s; %(columns)s: those of the rows
-- out: one row: takes_rows
select
    bool_or(exists (select from pg_trigger where tgrelid = attrelid and tgtype & 68 = 68))  -- instead of insert
    or pg_relation_is_updatable(%(relation)s::regclass, false) & 8 = 8
    and coalesce(bool_and(pg_column_is_updatable(attrelid, attnum, false)), true) as takes_rows
from pg_attribute
where attrelid = %(relation)s::regclass and attname = any(%(columns)s::text[]);
