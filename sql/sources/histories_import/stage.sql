-- Where the rows of an export are, until the transaction ends, as the histories table would store them.
-- in:  {histories}
create temporary table pg_temp.imported on commit drop as
select
    0 as line,
    session_id,
    message,
    created_at
from {histories}
with no data;
