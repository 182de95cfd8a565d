create table analytics.oddities (
    asset_key text not null,
    crew_id uuid,
    kind text not null,
    rows bigint not null,
    example text,
    remedy text not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    unique nulls not distinct (asset_key, crew_id, kind)
);
alter table analytics.oddities replica identity full;

comment on table analytics.oddities is
'Rows of the application that are left out, or not read as written, by table, crew and kind. Ticks add the rows '
'they find; the nightly reconcile counts all of them and deletes entries that no longer apply.';
comment on column analytics.oddities.asset_key is 'The derived table whose refresh found them.';
comment on column analytics.oddities.crew_id is 'The crew; null if the table is not refreshed per crew.';
comment on column analytics.oddities.kind is 'What is wrong with the rows.';
comment on column analytics.oddities.rows is 'Number of rows: exact after a reconcile, a lower bound afterwards.';
comment on column analytics.oddities.example is 'The key of one of the rows. Personal data.';
comment on column analytics.oddities.remedy is 'How to correct the rows.';
comment on column analytics.oddities.first_seen_at is 'When such a row was first found.';
comment on column analytics.oddities.last_seen_at is 'When such a row was last found.';
