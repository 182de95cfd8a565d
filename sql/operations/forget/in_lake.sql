-- The tables whose changes go into a lake: ticks of the lake follow them.
-- out: a row per table: table_name
select 'analytics.' || table_name as table_name from analytics.lake_state
order by table_name;
