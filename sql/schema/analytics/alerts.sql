create table analytics.alerts (
    source text not null,
    kind text not null,
    subject text not null,
    found text not null,
    remedy text not null,
    link text,
    since timestamptz not null default now(),
    ended_at timestamptz,
    notified_at timestamptz,
    failed_deliveries integer not null default 0,
    last_error text,
    id bigint generated always as identity primary key,
    end_notified_at timestamptz
);

create unique index alerts_open on analytics.alerts (source, kind, subject) where ended_at is null;

comment on table analytics.alerts is
'Problems found, and whether a notification about each was delivered. A row is kept for a year after its end.';
comment on column analytics.alerts.source is 'Where the problem was found: health, runs or checks.';
comment on column analytics.alerts.kind is 'The kind of problem.';
comment on column analytics.alerts.subject is 'The table, crew, job or check concerned. Personal data.';
comment on column analytics.alerts.found is 'What is known: the error, the measured value, or the first offender.';
comment on column analytics.alerts.remedy is 'What to do.';
comment on column analytics.alerts.link is
'Link to the UI, for runs to the newest one that failed; null if DAGSTER_UI_URL is not set.';
comment on column analytics.alerts.since is 'When the problem began.';
comment on column analytics.alerts.ended_at is 'When the problem ended; null while it lasts.';
comment on column analytics.alerts.notified_at is
'When the last notification of the problem was delivered; null: none yet.';
comment on column analytics.alerts.failed_deliveries is 'Consecutive failed deliveries.';
comment on column analytics.alerts.last_error is 'Why the last delivery failed. May quote personal data.';
comment on column analytics.alerts.id is 'Generated.';
comment on column analytics.alerts.end_notified_at is
'When the notification of its end was delivered, or was found not to be needed.';
