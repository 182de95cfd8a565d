-- Records that migrations are no longer applied.
-- in:  {migrations}: the table that records them; %(names)s
delete from {migrations}
where name = any(%(names)s);
