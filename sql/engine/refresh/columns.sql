-- The columns of a table that a refresh computes: those without a default or, of a table of the application, those of a list that
-- the application does not generate itself.
-- in:  %(relation)s; %(inserted)s: the list, or null
-- out: one row: columns, in their order
select array_agg(attname::text order by attnum) as columns
from pg_attribute
where attrelid = %(relation)s::regclass
    and attnum > 0
    and not attisdropped
    and attgenerated = ''
    and case
        when %(inserted)s::text[] is null then not atthasdef and attidentity = ''
        else attname = any(%(inserted)s::text[])
    end;
