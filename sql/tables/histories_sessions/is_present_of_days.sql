-- Which session-days the keys concern: all sessions of a span of days.
-- in:  keys: of one crew
crew_id = any(array(select crew_id from keys))
and activity_date >= (select min(start_day) from keys)
and activity_date < (select max(end_day) from keys)
