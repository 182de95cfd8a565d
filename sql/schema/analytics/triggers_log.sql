-- Whether triggers log all changes of a derived table's rows, as they do while the lake follows. They get the time at which the
-- oldest change was made that a refresh reads; null: now.
create or replace function analytics.triggers_log(relation regclass, written_at timestamptz) returns boolean
language sql volatile set search_path = pg_catalog, pg_temp
as $$
    select set_config('convo_pipelines.written_at', coalesce(written_at::text, ''), true) is not null and count(*) = 3
    from pg_trigger
    where tgrelid = relation
        and tgname in ('convo_pipelines_insert', 'convo_pipelines_update', 'convo_pipelines_delete')
        and tgenabled in ('A', 'O')
$$;
