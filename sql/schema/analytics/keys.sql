-- Keys of the owner's tables as uuids, for views in app. They are immutable, so that an index on the expression serves lookups.
create or replace function analytics.uuid_of(key bigint) returns uuid
language sql immutable strict parallel safe
return lpad(to_hex(key), 32, '0')::uuid;
comment on function analytics.uuid_of(bigint) is 'The uuid of an integer key. `analytics.bigint_of` is its inverse.';

create or replace function analytics.bigint_of(key uuid) returns bigint
language sql immutable strict parallel safe
return ('x' || right(replace(key::text, '-', ''), 16))::bit(64)::bigint;
comment on function analytics.bigint_of is 'The integer key of a uuid of `analytics.uuid_of(bigint)`.';

create or replace function analytics.uuid_of(kind text, key text) returns uuid
language sql immutable strict parallel safe
return md5(length(kind)::text || ':' || kind || ':' || key)::uuid;
comment on function analytics.uuid_of(text, text) is
'The uuid of a key of any type, written as text; by a hash. Keys of different kinds have different uuids.';
