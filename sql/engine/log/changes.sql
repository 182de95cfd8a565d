-- The changes of one source that a table follows.
-- in:  {source}, {log}; {is_followed}: which of its changes; {is_everything}: whether it has to be read as a whole
-- out: source, operation, xid, logged_at, is_everything
select
    {source} as source,
    operation,
    xid,
    logged_at,
    {is_everything} as is_everything
from analytics.{log}
where {is_followed}
