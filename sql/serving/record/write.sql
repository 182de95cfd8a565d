-- Records what the webhook or the follower did to each table, and deletes records older than a week.
-- in:  %(work)s: jsonb array of table_name, sessions, inserted, updated, deleted
with expired as (
    delete from analytics.live_refreshes
    where noted_at < now() - interval '7 days'
)

insert into analytics.live_refreshes (table_name, sessions, inserted, updated, deleted)
select
    table_name,
    sessions,
    inserted,
    updated,
    deleted
from jsonb_to_recordset(%(work)s::jsonb)
    as work (table_name text, sessions bigint, inserted bigint, updated bigint, deleted bigint);
