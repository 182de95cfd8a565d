-- name: is_missing
-- Whether one of the views was dropped with a table that it read.
-- in:  %(views)s: names
-- out: one row: is_any_missing
select bool_or(to_regclass(name) is null) as is_any_missing
from unnest(%(views)s::text[]) as name;


-- name: wrong_foreign_keys
-- Foreign keys that are not what they should be.
-- out: one row per key: name, child, is_right (false: drop it, and add it if it is wanted), is_wanted
select
    name,
    child,
    is_right,
    is_wanted
from analytics.foreign_keys()
where not is_right or is_wanted and not is_valid
order by name;


-- name: bind_foreign_key
-- Drops a foreign key that is not right, and adds it where it is wanted, not yet valid.
-- in:  %(name)s
select analytics.bind_foreign_key(%(name)s);


-- name: validate_foreign_key
-- Validates a foreign key, once no row violates it; writers go on meanwhile.
-- in:  {child}, {name}
alter table {child} validate constraint {name};


-- name: use_foreign_keys
-- Stores whether tables of analytics have foreign keys to app.
-- in:  %(is_wanted)s
update analytics.catalog_state
set
    has_foreign_keys = %(is_wanted)s,
    fingerprint = null;
