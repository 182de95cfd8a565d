-- What the version before 0.1.0 had applied.
-- in:  {migrations}: its table
-- out: name
select version_num as name from {migrations}
order by name;
