-- Which session-days the keys of a crew concern.
-- in:  keys: sessions and days, or (%(is_whole)s) all sessions of a span of days; %(crew_id)s
crew_id = %(crew_id)s::uuid
and activity_date >= (select min(start_day) from pg_temp.keys where crew_id = %(crew_id)s::uuid)
and activity_date < (select max(end_day) from pg_temp.keys where crew_id = %(crew_id)s::uuid)
and (
    %(is_whole)s
    or (session_id, activity_date) in (select session_id, start_day from pg_temp.keys where crew_id = %(crew_id)s::uuid)
)
