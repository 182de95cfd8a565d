-- Whether a table has begun to read what a refresh writes; those that have not will read all of it, and are kept from beginning
-- until the refresh is committed.
-- in:  %(followers)s: the tables that read it
-- out: one row: is_awaited
with unbuilt as (
    select asset_key from analytics.refresh_state
    where asset_key = any(%(followers)s::text[]) and snapshot is null and building is null
    order by asset_key
    for share
)

select count(*) < cardinality(%(followers)s::text[]) as is_awaited from unbuilt;
