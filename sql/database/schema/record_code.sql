-- Records what code is applied.
-- in:  {code}: the table that records it; %(names)s, %(checksums)s: kinds and names, and checksums of the same length
with gone as (
    delete from {code}
    where name <> all(%(names)s::text[])
)

insert into {code} as applied (name, checksum)
select
    name,
    checksum
from unnest(%(names)s::text[], %(checksums)s::text[]) as given (name, checksum)
on conflict (name) do update set checksum = excluded.checksum
where applied.checksum <> excluded.checksum;
