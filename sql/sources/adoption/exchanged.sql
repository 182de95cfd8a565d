-- Views that read a table which was exchanged by rename: another table has its name. Not those of before a restore, after which
-- all have other oids.
-- out: a row each: table_name, known_name
select
    adopted.table_name,
    beneath.known_name
from analytics.adopted_tables as beneath
inner join analytics.adopted_views as adopted using (view_oid)
where to_regclass(beneath.known_name) <> beneath.table_oid
    and to_regclass(format('app.%%I', adopted.table_name)) = adopted.view_oid
order by adopted.table_name, beneath.number;
