-- out: one row: sent_at of the first message
select min(sent_at) as sent_at
from app.messages;
