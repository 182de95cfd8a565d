create table analytics.capture_state (
    table_name text primary key,
    table_oid oid,
    members oid[],
    identity text,
    mode text not null check (mode in ('captured', 'window')),
    is_wanted boolean not null default true,
    is_settled boolean not null default true,
    remark text,
    changed_at timestamptz not null default now()
);
create index capture_state_members on analytics.capture_state using gin (members);

comment on table analytics.capture_state is
'The tables of app that are read, and whether their changes are logged. Internal.';
comment on column analytics.capture_state.table_name is 'The table in app.';
comment on column analytics.capture_state.table_oid is 'Its oid; null: there is none of that name.';
comment on column analytics.capture_state.members is 'Its oid and those of its partitions.';
comment on column analytics.capture_state.identity is
'What the catalog said of its files and triggers; where it says otherwise, everything is read again.';
comment on column analytics.capture_state.mode is
'captured: changes are logged; window: the last two days are read at each tick, the rest nightly.';
comment on column analytics.capture_state.is_wanted is 'Whether it is to be captured: convo-pipelines capture on, off.';
comment on column analytics.capture_state.is_settled is 'false: somebody held a lock on it; it is tried again.';
comment on column analytics.capture_state.remark is 'Why it is not captured.';
comment on column analytics.capture_state.changed_at is 'When this was last found out.';
