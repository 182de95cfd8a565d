create table analytics.live_refreshes (
    id bigint generated always as identity primary key,
    table_name text not null,
    sessions bigint not null,
    inserted bigint not null,
    updated bigint not null,
    deleted bigint not null,
    noted_at timestamptz not null default now()
);

comment on table analytics.live_refreshes is
'What the webhook and `convo-pipelines serve follow` did to each table, written once a minute. Rows are deleted after a week.';
comment on column analytics.live_refreshes.id is 'Increases with each row.';
comment on column analytics.live_refreshes.table_name is 'The derived table.';
comment on column analytics.live_refreshes.sessions is 'Sessions that the webhook was asked for.';
comment on column analytics.live_refreshes.inserted is 'Rows that were inserted.';
comment on column analytics.live_refreshes.updated is 'Rows that were updated.';
comment on column analytics.live_refreshes.deleted is 'Rows that were deleted.';
comment on column analytics.live_refreshes.noted_at is 'When the row was written.';
