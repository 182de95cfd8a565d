-- Switches the capture of a table on or off; it is settled afterwards.
-- in:  %(table_name)s, %(is_wanted)s
insert into analytics.capture_state as state (table_name, mode, is_wanted, is_settled, changed_at)
values (%(table_name)s, 'window', %(is_wanted)s, false, '-infinity')
on conflict (table_name) do update set
    is_wanted = excluded.is_wanted,
    is_settled = false,
    changed_at = '-infinity';
