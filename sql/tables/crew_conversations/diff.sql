-- Creates the temporary table of the conversations that are missing; it is dropped at the end of the transaction. Its types are
-- those of the sessions: what a type in app.conversations refuses, such as varchar(100), is not refused before the insert.
-- out: diff (change, day, is_news, and the columns of a conversation), as sql/engine/refresh/diff.sql
create temporary table pg_temp.diff on commit drop as
select
    null::text as change,
    null::date as day,
    null::boolean as is_news,
    null::uuid as id,
    null::text as channel,
    null::text as external_id,
    null::uuid as client_id,
    null::uuid as crew_id,
    null::text as session_id,
    null::timestamptz as started_at
with no data;
