create table analytics.latencies (
    table_name text not null,
    hour timestamptz not null,
    seconds double precision not null,
    changes bigint not null,
    total_seconds double precision not null,
    primary key (table_name, hour, seconds)
);

comment on table analytics.latencies is
'How long changes took from the application''s commit until they were visible: a histogram of each table and hour. '
'Hours that are older than a week are added up.';
comment on column analytics.latencies.table_name is 'The table in analytics.';
comment on column analytics.latencies.hour is 'When they became visible, UTC; -infinity: longer than a week ago.';
comment on column analytics.latencies.seconds is
'They took at most so many seconds, and more than those of the row before; the time is measured from the transaction''s '
'begin or the last look at the log, whichever is later.';
comment on column analytics.latencies.changes is 'The number of logged changes.';
comment on column analytics.latencies.total_seconds is 'The seconds that they took in all.';
