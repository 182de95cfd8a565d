-- The views of app that the pipeline reads, or would if a crew were active.
-- out: a row per view: name, log_function, is_histories, relation (its name, quoted)
with wanted as (
    select
        name,
        log_function,
        is_histories
    from analytics.source_tables()
    union
    select
        histories_table_name,
        'log_sessions',
        true
    from app.crews
)

select distinct on (wanted.name)
    wanted.name,
    wanted.log_function,
    wanted.is_histories,
    format('app.%%I', wanted.name) as relation
from wanted
inner join pg_class as class on class.relname = wanted.name
where class.relnamespace = 'app'::regnamespace and class.relkind = 'v'
order by wanted.name, wanted.is_histories;
