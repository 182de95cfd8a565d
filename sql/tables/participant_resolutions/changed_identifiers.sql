-- Creates the temporary table of identifiers whose holders may have changed; it is dropped at the end of the transaction.
create temporary table pg_temp.touched_identifiers on commit drop as
select null::text as identifier
with no data;
