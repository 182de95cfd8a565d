-- The number of rows that a check finds, and the first of them.
-- in:  {check}: the check's statement; %(sample_rows)s; the check's own parameters
-- out: the check's rows, each with offenders (the total number)
select
    *,
    count(*) over () as offenders
from ({check}) as offender
limit %(sample_rows)s;
