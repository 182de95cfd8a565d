-- Columns of app that ticks and backfills read by, and that lead no valid index.
-- out: table_name, column_name, run_this (the statement that creates the index)
select
    table_name,
    column_name,
    run_this
from analytics.missing_app_indexes;
