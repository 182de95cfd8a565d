create unlogged table analytics.crash_token (
    is_the_one boolean primary key default true check (is_the_one),
    token uuid not null default gen_random_uuid()
);

comment on table analytics.crash_token is
'One row, until the server crashes: recovery empties an unlogged table. A snapshot that was taken before a crash must not '
'become a watermark, because transaction ids whose commit was lost are given out again. Internal.';
comment on column analytics.crash_token.is_the_one is 'Always true.';
comment on column analytics.crash_token.token is 'Random: another one after each crash.';
