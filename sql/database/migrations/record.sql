-- Records a migration as applied.
-- in:  {migrations}: the table that records them; %(name)s; %(checksum)s
insert into {migrations} (name, checksum)
values (%(name)s, %(checksum)s)
on conflict (name) do update set checksum = excluded.checksum, applied_at = excluded.applied_at;
