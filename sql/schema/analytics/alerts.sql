create table analytics.alerts (
    source text not null,
    kind text not null,
    subject text not null,
    found text not null,
    remedy text not null,
    link text,
    since timestamptz not null default now(),
    ended_at timestamptz,
    told_at timestamptz,
    failed_deliveries integer not null default 0,
    last_error text,
    primary key (source, kind, subject)
);

comment on table analytics.alerts is
'What is not as it should be, who has been told, and whether that succeeded; rows go once their end has been told.';
comment on column analytics.alerts.source is 'Who noticed: health, runs or checks.';
comment on column analytics.alerts.kind is 'What is wrong.';
comment on column analytics.alerts.subject is 'With which table, crew, job or check.';
comment on column analytics.alerts.found is 'How much, or how many.';
comment on column analytics.alerts.remedy is 'What to do.';
comment on column analytics.alerts.link is 'Where the UI shows it; null: DAGSTER_UI_URL is not set.';
comment on column analytics.alerts.since is 'Since when.';
comment on column analytics.alerts.ended_at is 'When it was over; null: it is not.';
comment on column analytics.alerts.told_at is 'When somebody was last told that it is so; null: not yet.';
comment on column analytics.alerts.failed_deliveries is 'How often in a row telling failed.';
comment on column analytics.alerts.last_error is 'Why the last delivery failed.';
