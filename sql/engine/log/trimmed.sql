-- in:  {log}; %(trimmed_below)s, %(bound)s: see trim.sql
-- out: a row for each that was deleted
delete from analytics.{log}
where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
returning 1
