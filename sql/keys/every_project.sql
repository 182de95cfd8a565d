-- Projects, in the order of their ids.
-- in:  %(after)s: id after which to go on, or null; %(rows)s: how many
-- out: keys (id, position)
create temporary table keys on commit drop as
select
    id,
    id::text as position
from app.projects
where %(after)s::uuid is null or id > %(after)s::uuid
order by id
limit %(rows)s;
