-- Functions that views call, directly or not, and whose own calls cannot be known. They are in languages other than SQL and
-- PL/pgSQL, or put statements together.
-- in:  %(views)s: their oids
-- out: a row per function: name
select function.oid::regprocedure::text as name
from analytics.called_by(%(views)s::oid[]) as called
inner join pg_proc as function on function.oid = called.oid and called.kind = 'pg_proc'::regclass
inner join pg_language as language on language.oid = function.prolang
where language.lanname not in ('internal', 'c', 'sql', 'plpgsql')
    or language.lanname = 'plpgsql' and function.prosrc ~* '[[:<:]]execute[[:>:]]'
order by 1;
