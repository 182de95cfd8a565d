-- Creates triggers that log the days of a table's changed rows, and logs all days once.
-- in:  {relation}: the table; {name}: its name, as a literal; {day}: the expression of a row's day, as a literal
create trigger convo_pipelines_lake_insert after insert on {relation} referencing new table as new_rows
for each statement execute function analytics.log_lake_days({day});
create trigger convo_pipelines_lake_update after update on {relation} referencing old table as old_rows new table as new_rows
for each statement execute function analytics.log_lake_days({day});
create trigger convo_pipelines_lake_delete after delete on {relation} referencing old table as old_rows
for each statement execute function analytics.log_lake_days({day});
create trigger convo_pipelines_lake_truncate after truncate on {relation}
for each statement execute function analytics.log_lake_days({day});
alter table {relation}
enable always trigger convo_pipelines_lake_insert,
enable always trigger convo_pipelines_lake_update,
enable always trigger convo_pipelines_lake_delete,
enable always trigger convo_pipelines_lake_truncate;
insert into analytics.lake_changes (table_name) values ({name});
