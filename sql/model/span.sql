-- The span in which conversations started.
-- out: one row: first, last (null: there are none)
select
    min(started_at) as first,
    max(started_at) as last
from app.conversations
where analytics.is_usable_time(started_at);
