-- Conversations that have a summary, or days, in the order of their ids.
-- in:  %(after)s: id after which to go on, or null; %(rows)s: how many; %(crew_ids)s, %(client_ids)s: only those of
--      these crews and clients, or null
-- out: keys (id, position)
create temporary table keys on commit drop as
with wanted as (
    select id from app.conversations
    where crew_id = any(%(crew_ids)s::uuid[]) or client_id = any(%(client_ids)s::uuid[])
)

select
    id,
    id::text as position
from (
    (
        select conversation_id as id from analytics.conversation_summaries
        where (%(after)s::uuid is null or conversation_id > %(after)s::uuid)
            and (%(crew_ids)s::uuid[] is null or conversation_id in (select id from wanted))
        order by conversation_id
        limit %(rows)s
    )
    union
    (
        select distinct conversation_id from analytics.conversation_days
        where (%(after)s::uuid is null or conversation_id > %(after)s::uuid)
            and (%(crew_ids)s::uuid[] is null or conversation_id in (select id from wanted))
        order by conversation_id
        limit %(rows)s
    )
) as conversation
order by id
limit %(rows)s;
