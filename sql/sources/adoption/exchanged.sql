-- Views that read a table which was exchanged by rename: another table has its name.
-- out: a row each: table_name, known_name
select
    adopted.table_name,
    beneath.known_name
from analytics.adopted_tables as beneath
inner join analytics.adopted_views as adopted using (view_oid)
where to_regclass(beneath.known_name) <> beneath.table_oid
order by adopted.table_name, beneath.number;
