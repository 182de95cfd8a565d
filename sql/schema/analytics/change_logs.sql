-- The change log of a source or derived table: the logged columns of each row that a transaction changed, as it was and as it is.
-- Logs are append-only and have no unique keys. They are trimmed by DELETE, which a publication of all tables must allow.
-- in:  {log}, {xid_index}; {columns}, {later}: with their types; {comment}; {comments}: of the columns
create table analytics.{log} (
    {columns},
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now(){later}
) with (vacuum_truncate = off);
create index {xid_index} on analytics.{log} (xid);
alter table analytics.{log} replica identity full;

comment on table analytics.{log} is
{comment};
{comments}
comment on column analytics.{log}.operation is
'insert, update or delete of a row; truncate or everything: all rows; beneath: rows of an adopted view, see there; retry: a row '
'that a refresh could not lock and left to its next tick.';
comment on column analytics.{log}.xid is 'The transaction that changed it.';
comment on column analytics.{log}.logged_at is 'When that transaction began.';
