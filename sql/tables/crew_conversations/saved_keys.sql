-- Which conversations were inserted for sessions.
-- in:  saved
select jsonb_agg(jsonb_build_object('crew_id', crew_id, 'session_id', session_id)) from saved
