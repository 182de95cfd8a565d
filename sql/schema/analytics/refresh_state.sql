create table analytics.refresh_state (
    asset_key text primary key,
    follows text[] not null,
    snapshot pg_snapshot,
    snapshot_at timestamptz,
    building pg_snapshot,
    building_at timestamptz,
    written_by xid8 not null default pg_current_xact_id(),
    lease_holder text,
    lease_until timestamptz,
    last_run_at timestamptz,
    last_success_at timestamptz
);

comment on table analytics.refresh_state is 'How far each derived table has read the change logs.';
comment on column analytics.refresh_state.asset_key is 'The table.';
comment on column analytics.refresh_state.follows is
'The log sources it reads; "conversations delete": only that operation.';
comment on column analytics.refresh_state.snapshot is
'The watermark: every transaction visible in this snapshot has been processed; null until the table is built.';
comment on column analytics.refresh_state.snapshot_at is 'When the snapshot was taken.';
comment on column analytics.refresh_state.building is
'The snapshot that becomes the watermark when the first build has succeeded. Logs are kept from it on.';
comment on column analytics.refresh_state.building_at is 'When that snapshot was taken.';
comment on column analytics.refresh_state.written_by is
'The transaction that wrote this row. If it differs from the row''s xmin, the row was restored from another '
'server.';
comment on column analytics.refresh_state.lease_holder is
'The process that is running a tick of the table; null if none is.';
comment on column analytics.refresh_state.lease_until is 'When the lease expires unless it is renewed.';
comment on column analytics.refresh_state.last_run_at is 'When the last tick began.';
comment on column analytics.refresh_state.last_success_at is 'When a tick last succeeded.';

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
