-- Drops the triggers of views that are no longer captured, and forgets them.
-- in:  %(views)s: the oids of those that are
with former as materialized (
    select view_oid from analytics.adopted_views
    where view_oid <> all(%(views)s::oid[])
),

released as materialized (
    select former.view_oid
    from former
    cross join lateral analytics.release(former.view_oid::regclass) as released
)

delete from analytics.adopted_views
where view_oid in (select view_oid from released);
