-- Whether a table's changes are logged for the lake.
-- in:  %(relation)s: as schema.table
-- out: one row: is_followed, has_triggers (some are there, but they may be switched off, or too few)
select
    count(*) filter (where tgenabled = 'A') = 4 as is_followed,
    count(*) > 0 as has_triggers
from pg_trigger
where tgrelid = to_regclass(%(relation)s) and tgname like 'convo\_pipelines\_lake\_%%';
