-- Whether there are keys with unread changes.
-- in:  keys: those with unread changes
-- out: one row: is_any
select exists(select from keys) as is_any;
