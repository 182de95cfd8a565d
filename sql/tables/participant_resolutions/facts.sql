-- The number of contact methods with each status.
-- out: one row
select
    count(*) filter (where status = 'resolved') as resolved,
    count(*) filter (where status = 'ambiguous') as ambiguous,
    count(*) filter (where status = 'unmatched') as unmatched,
    count(*) filter (where status = 'invalid') as invalid
from analytics.participant_resolutions;
