-- All change logs.
-- in:  {changes}: a query per log
create or replace view analytics.changes as
{changes};

comment on view analytics.changes is 'All change logs together. Internal.';
comment on column analytics.changes.source is
'The table whose row changed; histories for all histories tables. "<table> retry": see operation.';
comment on column analytics.changes.xid is 'The transaction that changed it.';
comment on column analytics.changes.logged_at is 'When that transaction began.';
comment on column analytics.changes.operation is 'insert, update, delete, move, truncate, everything, beneath, unusable or retry.';
comment on column analytics.changes.is_everything is 'Whether everything of the source has to be read again.';

-- Logs that a source has to be read as a whole. Of histories tables, session_changes says which.
create or replace function analytics.log_everything(source text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('insert into analytics.%I (operation) values (''everything'')', source || '_changes');
end
$$;
