-- name: code
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


-- name: applied
-- The definition of an object that was applied.
-- in:  {code}: the table that records it; %(name)s: the kind and the name
-- out: checksum
select checksum from {code}
where name = %(name)s;


-- name: functions
-- The functions of these names, whatever arguments they take.
-- in:  %(names)s: each with its schema
-- out: signature; version: another one after each change
select
    oid::regprocedure::text as signature,
    format('%%s %%s', xmin, ctid) as version
from pg_proc
where format('%%s.%%s', pronamespace::regnamespace, proname) = any(%(names)s);


-- name: record_code
-- Records what code is applied.
-- in:  {code}: the table that records it; %(names)s, %(checksums)s: kinds and names, and checksums of the same length
with gone as (
    delete from {code}
    where name <> all(%(names)s::text[])
)

insert into {code} as applied (name, checksum)
select
    name,
    checksum
from unnest(%(names)s::text[], %(checksums)s::text[]) as given (name, checksum)
on conflict (name) do update set checksum = excluded.checksum
where applied.checksum <> excluded.checksum;


-- name: create_record
-- What `migrate up` has applied: migrations, and the code of sql/schema/.
-- in:  {migrations}, {code}: the tables
create table if not exists {migrations} (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
create table if not exists {code} (
    name text primary key,
    checksum text not null
);
