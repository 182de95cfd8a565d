-- Creates the temporary table of the conversations that are missing; it is dropped at the end of the transaction. Its types are
-- those of the sessions: what a type in app.conversations refuses, such as varchar(100), is not refused before the insert.
-- out: diff (change, day, is_news, and the columns of a conversation), as sql/engine/refresh/diff.sql
create temporary table pg_temp.diff (
    change text,
    day date,
    is_news boolean,
    id uuid,
    channel text,
    external_id text,
    client_id uuid,
    crew_id uuid,
    session_id text,
    started_at timestamptz
) on commit drop;
