-- The rows of a source that changes concern. If it is a view, rows of a table that it joins may have changed. The log has what
-- leads from them to rows of the view, and these are looked up as they are now.
-- in:  {view}, {log}; {columns}, {found}, {types}: the logged columns; {comment}
create or replace view analytics.{view} as
select
    {columns},
    operation,
    xid,
    logged_at
from analytics.{log}
where operation <> 'beneath'
union all
select
    {found},
    found.operation,
    change.xid,
    change.logged_at
from analytics.{log} as change
cross join lateral analytics.looked_up(change.beneath, change.beneath_values) as found ({types}, operation text)
where change.operation = 'beneath';

comment on view analytics.{view} is
{comment};
