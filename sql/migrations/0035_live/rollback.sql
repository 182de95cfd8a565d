create or replace function analytics.is_unread(xid xid8, since pg_snapshot) returns boolean
language sql immutable parallel safe
return since is null or xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(xid, since);

-- Committed after from_snapshot was taken, up to to_snapshot.
create or replace function analytics.is_new(xid xid8, from_snapshot pg_snapshot, to_snapshot pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= pg_snapshot_xmin(from_snapshot) and not pg_visible_in_snapshot(xid, from_snapshot)
and pg_visible_in_snapshot(xid, to_snapshot);

drop function analytics.open_xids(pg_snapshot);

drop view analytics.delays;
drop view analytics.freshness;

create view analytics.freshness as
select
    state.asset_key as table_name,
    case when waiting.changes = 0 then now() else state.snapshot_at end as as_of,
    waiting.changes as changes_waiting,
    waiting.oldest as waiting_since,
    state.last_success_at
from analytics.refresh_state as state
cross join lateral (
    select count(*) as changes, min(change.logged_at) as oldest
    from analytics.changes as change
    where analytics.is_new(change.xid, state.snapshot, pg_current_snapshot())
        and (change.source = any(state.follows) or change.source || ' ' || change.operation = any(state.follows))
) as waiting;

comment on view analytics.freshness is 'How up to date each table is: everything committed before as_of is included.';
comment on column analytics.freshness.table_name is 'The table in analytics.';
comment on column analytics.freshness.as_of is
'Everything committed before this time is included, as far as the tables it is derived from include it; null: not '
'built yet.';
comment on column analytics.freshness.changes_waiting is 'Logged changes that the next tick will read.';
comment on column analytics.freshness.waiting_since is
'When the oldest of these changes was made; null if there are none.';
comment on column analytics.freshness.last_success_at is 'When a tick of the table last succeeded.';

create view analytics.delays as
with recursive upstream (table_name, source) as (
    select asset_key, asset_key
    from analytics.refresh_state
    union
    select upstream.table_name, parent.asset_key
    from upstream
    inner join analytics.refresh_state as state on state.asset_key = upstream.source
    inner join analytics.refresh_state as parent on
        parent.asset_key = any(state.follows)
        or parent.asset_key = 'crew_conversations' and 'conversations' = any(state.follows)
)

select upstream.table_name, min(fresh.waiting_since) as written_since
from upstream
inner join analytics.freshness as fresh on fresh.table_name = upstream.source
group by upstream.table_name;

comment on view analytics.delays is
'How long the application''s changes have been waiting for each table, wherever upstream they wait.';
comment on column analytics.delays.table_name is 'The table in analytics.';
comment on column analytics.delays.written_since is
'When the oldest change was made that is not in this table yet, or not in one that it is derived from; null if there is '
'none.';

drop table analytics.latencies;

alter table analytics.refresh_state drop column lease_wanted_until;

alter table analytics.live_refreshes rename to webhook_refreshes;
do $$
declare
    former record;
begin
    for former in
        select conname as name from pg_constraint
        where conrelid = 'analytics.webhook_refreshes'::regclass and starts_with(conname, 'live_refreshes_')
    loop
        execute format(
            'alter table analytics.webhook_refreshes rename constraint %I to %I',
            former.name, replace(former.name, 'live_refreshes_', 'webhook_refreshes_')
        );
    end loop;
end
$$;
alter sequence analytics.live_refreshes_id_seq rename to webhook_refreshes_id_seq;

comment on table analytics.webhook_refreshes is
'What the webhook did to each table, written once a minute. Rows are deleted after a week.';
comment on column analytics.webhook_refreshes.id is 'Increases with each row.';
comment on column analytics.webhook_refreshes.table_name is 'The derived table.';
comment on column analytics.webhook_refreshes.sessions is 'Sessions that were requested.';
comment on column analytics.webhook_refreshes.inserted is 'Rows inserted for them.';
comment on column analytics.webhook_refreshes.updated is 'Rows updated for them.';
comment on column analytics.webhook_refreshes.deleted is 'Rows deleted for them.';
comment on column analytics.webhook_refreshes.noted_at is 'When the row was written.';
