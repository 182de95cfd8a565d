-- Whether a session-day has new messages, and not only a correction.
-- in:  wanted, present: its row as it should be, and as it is
wanted.message_count > coalesce(present.message_count, 0)
or wanted.last_message_at > present.last_message_at
