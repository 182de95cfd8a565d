-- Notes what the webhook did to each table, and forgets what it did a week ago.
-- in:  %(work)s: jsonb array of table_name, sessions, inserted, updated, deleted
-- out: webhook_refreshes
with forgotten as (
    delete from analytics.webhook_refreshes
    where noted_at < now() - interval '7 days'
)

insert into analytics.webhook_refreshes (table_name, sessions, inserted, updated, deleted)
select
    table_name,
    sessions,
    inserted,
    updated,
    deleted
from jsonb_to_recordset(%(work)s::jsonb)
    as work (table_name text, sessions bigint, inserted bigint, updated bigint, deleted bigint);
