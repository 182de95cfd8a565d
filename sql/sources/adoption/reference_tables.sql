-- The tables of the reference schema app, which `convo-pipelines migrate up` creates where there is no application.
-- out: a row per table, none if app is the application's own: table_name
select relname::text as table_name
from pg_class
where relnamespace = to_regnamespace('app') and relkind in ('r', 'p')
    and to_regclass('app.schema_migration_code') is not null
    and relname not like 'schema\_migration%%'
order by relname;
