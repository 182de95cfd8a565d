create table analytics.lake_changes (
    table_name text not null,
    day date,
    xid xid8 not null default pg_current_xact_id()
) with (vacuum_truncate = off);
create index lake_changes_table_name on analytics.lake_changes (table_name, xid);
alter table analytics.lake_changes replica identity full;

comment on table analytics.lake_changes is
'Change log of the tables that the lake follows: the days whose rows each transaction changed. Internal.';
comment on column analytics.lake_changes.table_name is 'The derived table.';
comment on column analytics.lake_changes.day is 'UTC day of the rows, before or after the change; null: all days.';
comment on column analytics.lake_changes.xid is 'The transaction that changed them.';

create table analytics.lake_state (
    table_name text primary key,
    snapshot pg_snapshot,
    attempted_at timestamptz not null
);

comment on table analytics.lake_state is 'Which tables the lake follows. Internal.';
comment on column analytics.lake_state.table_name is 'The derived table.';
comment on column analytics.lake_state.snapshot is
'Up to where the log is trimmed; the watermark itself is a property of the Iceberg table.';
comment on column analytics.lake_state.attempted_at is 'When rows were last about to be committed to the lake.';

-- Logs the days of changed rows. Its argument is the expression of a row's day.
create or replace function analytics.log_lake_days() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'TRUNCATE' then
        insert into analytics.lake_changes (table_name) values (tg_table_name);
        return null;
    end if;
    execute format(
        'insert into analytics.lake_changes (table_name, day) select distinct %L, day from (%s) as changed',
        tg_table_name,
        case tg_op
            when 'INSERT' then format('select %s as day from new_rows', tg_argv[0])
            when 'DELETE' then format('select %s as day from old_rows', tg_argv[0])
            else format('select %1$s as day from old_rows union all select %1$s from new_rows', tg_argv[0])
        end
    );
    return null;
end
$$;
revoke all on function analytics.log_lake_days() from public;
