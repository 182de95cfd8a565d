-- In place of `news`, for a refresh that does not depend on the log.
-- out: one row, as that of news.sql
select
    null::text[] as operations,
    false as is_everything,
    null::timestamptz as written_at;
