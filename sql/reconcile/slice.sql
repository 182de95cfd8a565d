-- The next slice of the conversations, by id.
-- in:  %(after)s: where the last one ended; %(rows)s: how many
-- out: one row: conversations, up_to (null: none are left)
select
    count(*) as conversations,
    (array_agg(id order by id desc))[1] as up_to
from (
    select id from app.conversations
    where id > %(after)s::uuid
    order by id
    limit %(rows)s
) as slice;
