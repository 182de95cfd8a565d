-- Indexes of app.conversations and app.messages that are missing or invalid: run `convo-pipelines migrate up`; if it is applied
-- already, drop the invalid index and run the statement shown. Views have none.
-- out: indexes of the lifecycle migration that are missing or invalid, with the statement that builds them
select
    wanted.name,
    case when i.indexrelid is null then 'missing' else 'invalid' end as state,
    wanted.run_this
from (
    values
    (
        'conversations_one_open_per_lead',
        'conversations',
        'create unique index concurrently conversations_one_open_per_lead on app.conversations (lead_id) '
        'where closed_at is null'
    ),
    (
        'messages_recency',
        'messages',
        'create index concurrently messages_recency on app.messages (conversation_id, created_at desc)'
    ),
    (
        'conversations_recency',
        'conversations',
        'create index concurrently conversations_recency on app.conversations (customer_id, started_at desc)'
    )
) as wanted (name, table_name, run_this)
inner join pg_class as class
    on class.relname = wanted.table_name and class.relnamespace = 'app'::regnamespace and class.relkind in ('r', 'p')
left join pg_index as i on i.indexrelid = to_regclass('app.' || wanted.name)
where i.indexrelid is null or not i.indisvalid or not i.indisready;
