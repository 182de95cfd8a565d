-- Which session-days the keys concern.
-- in:  keys: sessions and days
(crew_id, session_id, activity_date) in (select crew_id, session_id, start_day from keys)
