-- For tables whose sources have no odd rows.
-- out: kind, rows, example
select
    null::text as kind,
    0::bigint as rows,
    null::text as example;
