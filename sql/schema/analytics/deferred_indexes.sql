create table analytics.deferred_indexes (
    table_name text not null,
    index_name text primary key,
    definition text not null
);

comment on table analytics.deferred_indexes is
'Indexes that were dropped for the first build of a large table, and are made again when it is full.';
comment on column analytics.deferred_indexes.table_name is 'The table in analytics.';
comment on column analytics.deferred_indexes.index_name is 'The index.';
comment on column analytics.deferred_indexes.definition is 'The statement that creates it.';
