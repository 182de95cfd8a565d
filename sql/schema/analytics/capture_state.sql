create table analytics.capture_state (
    table_name text primary key,
    table_oid oid,
    members oid[],
    identity text,
    mode text not null check (mode in ('captured', 'uncaptured')),
    is_wanted boolean not null default true,
    remark text,
    changed_at timestamptz not null default now(),
    columns text,
    retry_at timestamptz
);
create index capture_state_members on analytics.capture_state using gin (members);

comment on table analytics.capture_state is
'The tables that the pipeline reads, and whether their changes are logged. Internal.';
comment on column analytics.capture_state.table_name is 'The table in app; participant_decisions: in curation.';
comment on column analytics.capture_state.table_oid is 'Its oid; null if there is no table of that name.';
comment on column analytics.capture_state.members is 'Its oid and those of its partitions.';
comment on column analytics.capture_state.identity is
'What the catalog said about its files and triggers. If it changes, the whole table is read again.';
comment on column analytics.capture_state.mode is
'captured: changes are logged by triggers; uncaptured: the nightly reconcile reads the table.';
comment on column analytics.capture_state.is_wanted is
'Whether it should be captured; set by convo-pipelines capture on and off.';
comment on column analytics.capture_state.remark is 'Why it is not captured.';
comment on column analytics.capture_state.changed_at is 'When this row last changed.';
comment on column analytics.capture_state.columns is
'Number and type of each of its columns that is read. If they or the oid change, views and foreign keys are bound anew.';
comment on column analytics.capture_state.retry_at is
'When the triggers are tried again, because another session had locked the table: after a minute, then after twice as '
'long each time, up to an hour; null: they need not be.';
