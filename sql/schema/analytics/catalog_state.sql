create table analytics.catalog_state (
    is_the_one boolean primary key default true check (is_the_one),
    fingerprint text,
    seen_at timestamptz not null default now(),
    has_foreign_keys boolean not null default true
);

comment on table analytics.catalog_state is 'When the catalog was last compared table by table: one row. Internal.';
comment on column analytics.catalog_state.is_the_one is 'Always true.';
comment on column analytics.catalog_state.fingerprint is
'Fingerprint of the tables, partitions, triggers, crews and clients at that time; null: compare at the next tick.';
comment on column analytics.catalog_state.seen_at is 'When the catalog was compared.';
comment on column analytics.catalog_state.has_foreign_keys is
'Whether tables of analytics have foreign keys to app; without them, ticks delete what refers to deleted rows.';

insert into analytics.catalog_state default values;
