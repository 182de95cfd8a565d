-- Drops a trigger of a table, which it waits for only shortly: readers queue behind the wait.
-- in:  {table}, {table_oid}, {trigger}
select analytics.lock_source({table_oid}::oid::regclass, 'access exclusive');
drop trigger {trigger} on {table};
