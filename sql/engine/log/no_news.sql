-- What `news` returns if nothing was logged: for a refresh of what a caller names, which does not read the log.
-- out: one row: operations, is_everything, written_at
select
    null::text[] as operations,
    false as is_everything,
    null::timestamptz as written_at;
