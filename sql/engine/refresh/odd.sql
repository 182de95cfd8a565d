-- Where no row of the sources is odd.
-- out: kind, rows, example
select
    null::text as kind,
    0::bigint as rows,
    null::text as example;
