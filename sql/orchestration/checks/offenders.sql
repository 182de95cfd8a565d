-- How many rows a check finds, and the first of them.
-- in:  the check's statement; %(sample_rows)s; the check's own
-- out: the check's rows, each with offenders (how many there are in all)
select
    *,
    count(*) over () as offenders
from ({check}) as offender
limit %(sample_rows)s;
