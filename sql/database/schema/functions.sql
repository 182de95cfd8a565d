-- The functions of these names, whatever arguments they take.
-- in:  %(names)s: each with its schema
-- out: signature; version: another one after each change
select
    oid::regprocedure::text as signature,
    format('%%s %%s', xmin, ctid) as version
from pg_proc
where format('%%s.%%s', pronamespace::regnamespace, proname) = any(%(names)s);
