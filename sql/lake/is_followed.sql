-- Whether the log tells of a table's changes.
-- in:  %(relation)s: as schema.table
-- out: one row: is_followed
select count(*) = 4 as is_followed
from pg_trigger
where tgrelid = to_regclass(%(relation)s) and tgenabled = 'A' and tgname like 'convo\_pipelines\_lake\_%%';
