-- out: one row: first_started_at, last_started_at of all conversations (null: there are none)
select
    min(started_at) as first_started_at,
    max(started_at) as last_started_at
from app.conversations;
