create table analytics.trim_state (
    is_the_one boolean primary key default true check (is_the_one),
    trimmed_below xid8 not null,
    trimmed_at timestamptz not null default now()
);

comment on table analytics.trim_state is 'How far the change logs have been trimmed: one row. Internal.';
comment on column analytics.trim_state.is_the_one is 'Always true.';
comment on column analytics.trim_state.trimmed_below is 'No log contains rows of transactions before this one.';
comment on column analytics.trim_state.trimmed_at is 'When the logs were trimmed.';

insert into analytics.trim_state (trimmed_below) values ('0');
