-- Whether a session-day has new messages, or only corrected ones.
-- in:  wanted, present: the row as it should be, and as it is
wanted.message_count > coalesce(present.message_count, 0)
or wanted.last_message_at > present.last_message_at
