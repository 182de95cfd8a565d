-- The code that was applied, and whether it is in the catalog.
-- in:  {code}: the table that records it
-- out: name: the kind and the name; checksum; is_there
select
    applied.name,
    applied.checksum,
    exists (
        select from pg_description
        left join pg_class on pg_class.oid = pg_description.objoid and pg_description.classoid = 'pg_class'::regclass
        left join pg_namespace on pg_namespace.oid = pg_description.objoid and pg_description.classoid = 'pg_namespace'::regclass
        where pg_description.objsubid = 0
            and applied.name in (
                format('comment %%s.%%s', pg_class.relnamespace::regnamespace, pg_class.relname),
                format('comment %%s', pg_namespace.nspname)
            )
    ) or exists (
        select from pg_proc
        where format('function %%s.%%s', pronamespace::regnamespace, proname) = applied.name
    ) or exists (
        select from pg_class
        where relkind = 'v' and format('view %%s.%%s', relnamespace::regnamespace, relname) = applied.name
    ) or exists (
        select from pg_trigger
        inner join pg_class on pg_class.oid = pg_trigger.tgrelid
        where format('trigger %%s on %%s.%%s', tgname, relnamespace::regnamespace, relname) = applied.name
    ) as is_there
from {code} as applied;
