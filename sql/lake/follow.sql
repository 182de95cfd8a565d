-- Has triggers log all changes of a table's rows, and the next tick write all days.
-- in:  {relation}: the table; {function}: the one that logs them; {name}: the table's name; as literals
select analytics.create_triggers({relation}::regclass, {function}, false, false);
insert into analytics.lake_state (table_name, attempted_at, followed_by) values ({name}, now(), pg_current_xact_id())
on conflict (table_name) do update set
    snapshot = null,
    committed = null,
    followed_by = excluded.followed_by;
