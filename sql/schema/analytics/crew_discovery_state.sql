create table analytics.crew_discovery_state (
    crew_id uuid primary key references app.crews on delete cascade,
    histories_table_name text not null,
    is_discovered boolean not null default true,
    mode text not null default 'captured' check (mode in ('captured', 'uncaptured')),
    last_run_at timestamptz,
    last_success_at timestamptz,
    last_duration_ms bigint,
    sessions_scanned bigint not null default 0,
    conversations_created bigint not null default 0,
    consecutive_failures integer not null default 0,
    last_error text,
    last_warning text,
    client_id uuid,
    pruned_at timestamptz
);

comment on table analytics.crew_discovery_state is 'State of each crew''s discovery: last run, errors and counts.';
comment on column analytics.crew_discovery_state.crew_id is 'The crew.';
comment on column analytics.crew_discovery_state.histories_table_name is 'The histories table of the last run.';
comment on column analytics.crew_discovery_state.is_discovered is
'Whether the crew and its client were active at the last run. A crew that is activated again is read from the '
'start.';
comment on column analytics.crew_discovery_state.mode is
'captured: changes are logged by triggers; window: each tick reads the last two days, the nightly reconcile the '
'rest.';
comment on column analytics.crew_discovery_state.last_run_at is 'Start of the last run that worked on the crew.';
comment on column analytics.crew_discovery_state.last_success_at is 'End of the last run that succeeded for the crew.';
comment on column analytics.crew_discovery_state.last_duration_ms is 'Milliseconds the last run spent on the crew.';
comment on column analytics.crew_discovery_state.sessions_scanned is 'Session-days recomputed so far.';
comment on column analytics.crew_discovery_state.conversations_created is
'Rows inserted into app.conversations so far.';
comment on column analytics.crew_discovery_state.consecutive_failures is 'Failed runs since the last success.';
comment on column analytics.crew_discovery_state.last_error is
'Why the last run failed; null after a success. May quote personal data.';
comment on column analytics.crew_discovery_state.last_warning is
'A problem that the last run found and that needs attention. May quote personal data.';
comment on column analytics.crew_discovery_state.client_id is 'The crew''s client at the last run.';
comment on column analytics.crew_discovery_state.pruned_at is
'When its table, or a partition of it, was truncated or left it, if no run has read the whole table since: the run '
'that does sees whose rows are gone.';
