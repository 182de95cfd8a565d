-- The identifiers whose holders may have changed, as one refresh finds them; gone with its transaction.
create temporary table touched_identifiers (
    identifier text not null
) on commit drop;
