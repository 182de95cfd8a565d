-- Missing indexes of app, which backfills and recency queries need, and indexes of earlier versions that no query uses.
-- out: failure
select format('no valid index leads with %s.%s: run `%s`', table_name, column_name, run_this) as failure
from analytics.missing_app_indexes
union all
select format('nothing reads by index app.%I any more: drop it', class.relname)
from pg_class as class
where class.relnamespace = to_regnamespace('app') and class.relkind = 'i' and class.relname in (
    'conversations_updated_at', 'messages_updated_at', 'message_recipients_updated_at', 'people_updated_at',
    'contact_methods_updated_at', 'projects_updated_at'
)
order by failure;
