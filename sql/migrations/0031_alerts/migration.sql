-- Alerts are kept after their end.
alter table analytics.alerts drop constraint alerts_pkey;
alter table analytics.alerts
add column id bigint generated always as identity primary key,
add column end_notified_at timestamptz;
create unique index alerts_open on analytics.alerts (source, kind, subject) where ended_at is null;
comment on table analytics.alerts is
'Problems found, and whether a notification about each was delivered. A row is kept for a year after its end.';
comment on column analytics.alerts.found is 'What is known: the error, the measured value, or the first offender.';
comment on column analytics.alerts.link is
'Link to the UI, for runs to the newest one that failed; null if DAGSTER_UI_URL is not set.';
comment on column analytics.alerts.notified_at is
'When the last notification of the problem was delivered; null: none yet.';
comment on column analytics.alerts.id is 'Generated.';
comment on column analytics.alerts.end_notified_at is
'When the notification of its end was delivered, or was found not to be needed.';

-- How long changes wait is counted from the application's write, also where a table further up has not read them.
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
