-- Messages of no known type, which are neither human nor ai.
-- in:  computed: the rows that there should be, with found_count and known_count
-- out: part (the crew), kind, rows, example
select
    crew_id as part,
    'messages of no known type' as kind,
    coalesce(sum(found_count - known_count), 0)::bigint as rows,
    min(session_id) filter (where found_count > known_count) as example
from computed
group by crew_id;
