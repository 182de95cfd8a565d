-- The canonical forms of the spellings that one refresh looks at; gone with its transaction.
create temporary table normalized on commit drop as
select
    null::text as kind,
    null::text as value,
    null::text as identifier
with no data;
