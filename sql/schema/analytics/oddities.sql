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
'Rows of the application that are left out or read otherwise than written, by table, crew and kind. What a tick meets '
'is noted; the nightly reconcile counts them all, and drops what is no longer there.';
comment on column analytics.oddities.asset_key is 'The derived table that met them.';
comment on column analytics.oddities.crew_id is 'The crew; null: the table is not read per crew.';
comment on column analytics.oddities.kind is 'What is odd about them.';
comment on column analytics.oddities.rows is 'How many: after a reconcile all there are, later at least so many.';
comment on column analytics.oddities.example is 'The key of one of them.';
comment on column analytics.oddities.remedy is 'What to do about them.';
comment on column analytics.oddities.first_seen_at is 'When the first was met.';
comment on column analytics.oddities.last_seen_at is 'When the last was met.';
