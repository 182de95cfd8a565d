-- The tables whose changes go into a lake: ticks of the lake have created triggers on them.
-- out: a row per table: table_name
select distinct tgrelid::regclass::text as table_name
from pg_trigger
where tgname like 'convo\_pipelines\_lake\_%%'
order by table_name;
