-- name: write
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


-- name: since
-- What the webhook and the follower did to each table since a record.
-- in:  %(after)s: id of the last record reported to Dagster
-- out: one row per table: table_name, sessions, inserted, updated, deleted, last_id
select
    table_name,
    sum(sessions)::bigint as sessions,
    sum(inserted)::bigint as inserted,
    sum(updated)::bigint as updated,
    sum(deleted)::bigint as deleted,
    max(id) as last_id
from analytics.live_refreshes
where id > %(after)s
group by table_name
order by table_name;
