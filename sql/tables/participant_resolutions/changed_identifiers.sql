-- The identifiers whose holders may have changed, as one refresh finds them; gone with its transaction.
create temporary table touched_identifiers on commit drop as
select null::text as identifier
with no data;
