-- The sources that are views.
-- out: a row per view: name, log_function, is_histories, relation (its name, quoted)
select
    source.name,
    source.log_function,
    source.is_histories,
    format('app.%%I', source.name) as relation
from analytics.source_tables() as source
inner join pg_class as class on class.oid = source.table_oid
where class.relkind = 'v'
order by source.name;
