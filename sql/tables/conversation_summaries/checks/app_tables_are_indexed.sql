-- Indexes of app that are missing: without them every tick scans the whole table. Run the statements shown, or `convo-pipelines
-- migrate up --only analytics`.
-- runs after every tick
-- severity: WARN
-- out: columns of app that ticks and backfills read by and that lead no valid index, with the statement that helps
select
    table_name,
    column_name,
    run_this
from analytics.missing_app_indexes;
