-- Ends what follow.sql began.
-- in:  {relation}: the table; {name}: its name, as a literal
drop trigger if exists convo_pipelines_lake_insert on {relation};
drop trigger if exists convo_pipelines_lake_update on {relation};
drop trigger if exists convo_pipelines_lake_delete on {relation};
drop trigger if exists convo_pipelines_lake_truncate on {relation};
delete from analytics.lake_changes where table_name = {name};
