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
    last_success_at timestamptz,
    lease_wanted_until timestamptz,
    last_error text,
    failing_since timestamptz,
    definition text,
    version text not null default ''
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
comment on column analytics.refresh_state.lease_wanted_until is
'Until when another process waits for the lease: `convo-pipelines serve follow` then yields it.';
comment on column analytics.refresh_state.last_run_at is 'When the last tick began.';
comment on column analytics.refresh_state.last_success_at is 'When a tick last succeeded.';
comment on column analytics.refresh_state.last_error is
'Why the last tick failed; null after a success. May quote personal data.';
comment on column analytics.refresh_state.failing_since is
'When the first tick since the last success failed; null after a success.';
comment on column analytics.refresh_state.definition is
'What identifies how rows are computed, of a table of one''s own or one that such tables follow. A process that knows another '
'definition does not refresh the table.';
comment on column analytics.refresh_state.version is
'What identifies the rules, libraries and settings that rows are computed by, besides statements; if a tick knows another, it '
'computes all rows again.';
