-- Conversations, in the order of their ids.
-- in:  %(after)s: id after which to go on, or null; %(rows)s: how many; %(crew_ids)s, %(client_ids)s: only those of
--      these crews and clients, or null
-- out: keys (id, position)
create temporary table keys on commit drop as
select
    id,
    id::text as position
from app.conversations
where (%(after)s::uuid is null or id > %(after)s::uuid)
    and (
        %(crew_ids)s::uuid[] is null
        or crew_id = any(%(crew_ids)s::uuid[])
        or client_id = any(%(client_ids)s::uuid[])
    )
order by id
limit %(rows)s;
