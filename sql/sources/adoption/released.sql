-- The views that were dropped, in the order in which they are made again.
-- out: table_name, statements
select
    table_name,
    statements
from analytics.released_views
order by number;
