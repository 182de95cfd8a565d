create table analytics.lake_state (
    table_name text primary key,
    snapshot pg_snapshot,
    attempted_at timestamptz not null,
    committed pg_snapshot,
    followed_by xid8
);

comment on table analytics.lake_state is
'The tables whose logs the lake follows, and how far it has read them. Internal.';
comment on column analytics.lake_state.table_name is 'The derived table.';
comment on column analytics.lake_state.snapshot is
'Everything that is visible in this snapshot was read; null: nothing, all days will be written. Logs are kept from it on.';
comment on column analytics.lake_state.attempted_at is
'When rows were last about to be committed to the lake, or there were none to commit.';
comment on column analytics.lake_state.committed is
'The watermark in the Iceberg table then; between both snapshots, no row changed. If it is another one, the log is read '
'from that one on.';
comment on column analytics.lake_state.followed_by is
'The transaction that created the triggers: before it, changes were not logged.';
