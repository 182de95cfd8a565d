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
