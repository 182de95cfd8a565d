-- The migrations that were applied.
-- in:  {migrations}: the table that records them
-- out: name, checksum
select
    name,
    checksum
from {migrations};
