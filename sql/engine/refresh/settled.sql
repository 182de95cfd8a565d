-- The differences, with those that could not be locked marked.
-- in:  differences; {is_locked}; {columns}
select
    case when {is_locked} then 'locked' else change end as change,
    day,
    is_news,
    {columns}
from differences as diff
