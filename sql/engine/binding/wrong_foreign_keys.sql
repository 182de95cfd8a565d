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
