-- Creates the temporary table of the canonical forms of spellings; it is dropped at the end of the transaction.
create temporary table pg_temp.normalized on commit drop as
select
    null::text as kind,
    null::text as value,
    null::text as identifier
with no data;
