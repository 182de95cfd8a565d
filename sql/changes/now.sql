-- out: one row: now, this instant
select clock_timestamp() as now;
