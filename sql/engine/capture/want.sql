-- Switches the capture of a table on or off; it is tried at once.
-- in:  %(table_name)s, %(is_wanted)s
insert into analytics.capture_state as state (table_name, mode, is_wanted, retry_at)
values (%(table_name)s, 'uncaptured', %(is_wanted)s, now())
on conflict (table_name) do update set
    is_wanted = excluded.is_wanted,
    changed_at = excluded.changed_at,
    retry_at = excluded.retry_at;
