-- in:  keys: what awaits a tick
-- out: one row: is_any
select exists(select from keys) as is_any;
