create table analytics.webhook_refreshes (
    id bigint generated always as identity primary key,
    table_name text not null,
    sessions bigint not null,
    inserted bigint not null,
    updated bigint not null,
    deleted bigint not null,
    noted_at timestamptz not null default now()
);

comment on table analytics.webhook_refreshes is
'What the webhook did to each table, written once a minute. Rows are deleted after a week.';
comment on column analytics.webhook_refreshes.id is 'Increases with each row.';
comment on column analytics.webhook_refreshes.table_name is 'The derived table.';
comment on column analytics.webhook_refreshes.sessions is 'Sessions that were requested.';
comment on column analytics.webhook_refreshes.inserted is 'Rows inserted for them.';
comment on column analytics.webhook_refreshes.updated is 'Rows updated for them.';
comment on column analytics.webhook_refreshes.deleted is 'Rows deleted for them.';
comment on column analytics.webhook_refreshes.noted_at is 'When the row was written.';
