-- The lake follows no table any more, and reads all days when it does again.
drop function analytics.log_lake_days() cascade;
drop table analytics.lake_changes;
drop table analytics.lake_state;
