-- Small refreshes by index; leases that are asked for; how long changes take to be visible; one record of what the webhook and
-- `follow` did.
-- The transactions that were open in a snapshot.
create or replace function analytics.open_xids(snapshot pg_snapshot) returns xid8[]
language plpgsql immutable parallel safe
as $$
begin
    return array(select pg_snapshot_xip(snapshot));
end
$$;

-- Not visible in a snapshot, or in none: PostgreSQL's own definition of "committed since". These are the transactions that began
-- after it, or were open in it: both are found by the index on xid, however long the oldest of them has been open. Both functions
-- are inlined.
create or replace function analytics.is_unread(xid xid8, since pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= coalesce(pg_snapshot_xmax(since), '0'::xid8) or xid = any(analytics.open_xids(since));

-- Committed after from_snapshot was taken, up to to_snapshot, or up to now.
create or replace function analytics.is_new(xid xid8, from_snapshot pg_snapshot, to_snapshot pg_snapshot) returns boolean
language sql immutable parallel safe
return (xid >= pg_snapshot_xmax(from_snapshot) or xid = any(analytics.open_xids(from_snapshot)))
and coalesce(pg_visible_in_snapshot(xid, to_snapshot), true);

alter table analytics.refresh_state add column lease_wanted_until timestamptz;

comment on column analytics.refresh_state.lease_wanted_until is
'Until when another process waits for the lease: `convo-pipelines follow` then yields it.';

create table analytics.latencies (
    table_name text not null,
    hour timestamptz not null,
    seconds double precision not null,
    changes bigint not null,
    total_seconds double precision not null,
    primary key (table_name, hour, seconds)
);

comment on table analytics.latencies is
'How long changes took from the application''s commit until they were visible: a histogram of each table and hour. '
'Hours that are older than a week are added up.';
comment on column analytics.latencies.table_name is 'The table in analytics.';
comment on column analytics.latencies.hour is 'When they became visible, UTC; -infinity: longer than a week ago.';
comment on column analytics.latencies.seconds is
'They took at most so many seconds, and more than those of the row before; the time is measured from the transaction''s '
'begin or the last look at the log, whichever is later.';
comment on column analytics.latencies.changes is 'The number of logged changes.';
comment on column analytics.latencies.total_seconds is 'The seconds that they took in all.';

create or replace view analytics.freshness as
select
    state.asset_key as table_name,
    case when waiting.changes = 0 then now() else state.snapshot_at end as as_of,
    waiting.changes as changes_waiting,
    waiting.oldest as waiting_since,
    state.last_success_at,
    visible.p50_seconds,
    visible.p99_seconds
from analytics.refresh_state as state
cross join lateral (
    select count(*) as changes, min(change.logged_at) as oldest
    from analytics.changes as change
    where analytics.is_new(change.xid, state.snapshot, pg_current_snapshot())
        and (change.source = any(state.follows) or change.source || ' ' || change.operation = any(state.follows))
) as waiting
cross join lateral (
    select
        min(counted.seconds) filter (where counted.up_to >= 0.5 * counted.changes) as p50_seconds,
        min(counted.seconds) filter (where counted.up_to >= 0.99 * counted.changes) as p99_seconds
    from (
        select
            latency.seconds,
            sum(latency.changes) over (order by latency.seconds) as up_to,
            sum(latency.changes) over () as changes
        from analytics.latencies as latency
        where latency.table_name = state.asset_key and latency.hour >= date_trunc('hour', now()) - interval '1 hour'
    ) as counted
) as visible;

comment on view analytics.freshness is 'How up to date each table is: everything committed before as_of is included.';
comment on column analytics.freshness.table_name is 'The table in analytics.';
comment on column analytics.freshness.as_of is
'Everything committed before this time is included, as far as the tables it is derived from include it; null: not '
'built yet.';
comment on column analytics.freshness.changes_waiting is 'Logged changes that the next tick will read.';
comment on column analytics.freshness.waiting_since is
'When the oldest of these changes was made; null if there are none.';
comment on column analytics.freshness.last_success_at is 'When a tick of the table last succeeded.';
comment on column analytics.freshness.p50_seconds is
'Half of the changes of this and the last hour were visible within so many seconds of the application''s commit; '
'an upper bound. Null: there were none.';
comment on column analytics.freshness.p99_seconds is 'The same for 99 percent of them.';

alter table analytics.webhook_refreshes rename to live_refreshes;
do $$
declare
    former record;
begin
    for former in
        select conname as name from pg_constraint
        where conrelid = 'analytics.live_refreshes'::regclass and starts_with(conname, 'webhook_refreshes_')
    loop
        execute format(
            'alter table analytics.live_refreshes rename constraint %I to %I',
            former.name, replace(former.name, 'webhook_refreshes_', 'live_refreshes_')
        );
    end loop;
end
$$;
alter sequence analytics.webhook_refreshes_id_seq rename to live_refreshes_id_seq;

comment on table analytics.live_refreshes is
'What the webhook and `convo-pipelines follow` did to each table, written once a minute. Rows are deleted after a week.';
comment on column analytics.live_refreshes.id is 'Increases with each row.';
comment on column analytics.live_refreshes.table_name is 'The derived table.';
comment on column analytics.live_refreshes.sessions is 'Sessions that the webhook was asked for.';
comment on column analytics.live_refreshes.inserted is 'Rows that were inserted.';
comment on column analytics.live_refreshes.updated is 'Rows that were updated.';
comment on column analytics.live_refreshes.deleted is 'Rows that were deleted.';
comment on column analytics.live_refreshes.noted_at is 'When the row was written.';
