-- All days of small histories tables.
-- in:  %(crew_ids)s
-- out: crew_id, session_id (null: whole days), start_day, end_day
select distinct
    crew_id,
    null::text as session_id,
    '0001-01-02'::date as start_day,
    '9999-12-30'::date as end_day
from unnest(%(crew_ids)s::uuid[]) as small (crew_id)
