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

comment on table analytics.refresh_state is 'How far each derived table has accounted for the change logs.';
comment on column analytics.refresh_state.asset_key is 'The table.';
comment on column analytics.refresh_state.follows is
'The tables whose changes it reads, or of which only some operations: conversations delete.';
comment on column analytics.refresh_state.snapshot is
'The watermark: every transaction visible in it has been accounted for; null until the table has been built.';
comment on column analytics.refresh_state.snapshot_at is 'When the snapshot was taken.';
comment on column analytics.refresh_state.building is
'The snapshot that becomes the watermark once the first build has ended; logs are kept from it on.';
comment on column analytics.refresh_state.building_at is 'When that snapshot was taken.';
comment on column analytics.refresh_state.written_by is
'The transaction that wrote this row; where it is not the row''s own xmin, the row was restored from another server.';
comment on column analytics.refresh_state.lease_holder is 'Who is at work on a tick of the table; null: nobody.';
comment on column analytics.refresh_state.lease_until is
'Until when, unless renewed: a dead holder''s lease ends by itself.';
comment on column analytics.refresh_state.last_run_at is 'When the last tick began.';
comment on column analytics.refresh_state.last_success_at is 'When a tick last ended well.';

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

comment on view analytics.freshness is 'As of when each table is right: everything committed before as_of is in it.';
comment on column analytics.freshness.table_name is 'The table in analytics.';
comment on column analytics.freshness.as_of is
'Everything committed before is accounted for, as far as the tables it is derived from have it; null: not built yet.';
comment on column analytics.freshness.changes_waiting is 'Logged changes that the next tick will read.';
comment on column analytics.freshness.waiting_since is 'When the oldest of them was made; null: none waits.';
comment on column analytics.freshness.last_success_at is 'When a tick of the table last ended well.';
