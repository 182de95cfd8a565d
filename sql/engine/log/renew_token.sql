-- Creates the token that the next crash removes. The last one emptied unlogged tables, too, and those beneath views: what they
-- are sources of is read as a whole.
with renewed as (
    insert into analytics.crash_token default values
    on conflict do nothing
    returning 1
),

unlogged as (
    select array_agg(class.oid) as oids from renewed
    inner join pg_class as class on class.relpersistence = 'u' and class.relkind = 'r'
),

emptied as materialized (
    select
        source.table_name,
        source.table_oid
    from unlogged
    inner join analytics.capture_state as source
        on source.members && unlogged.oids or source.table_oid in (
            select beneath.view_oid from analytics.adopted_tables as beneath
            cross join lateral analytics.members_of(beneath.table_oid) as member (oid)
            where member.oid = any(unlogged.oids)
        )
),

logged as materialized (
    select
        emptied.table_name,
        emptied.table_oid,
        coalesce(source.is_histories, true) as is_histories  -- true: that of an inactive crew
    from emptied
    left join analytics.source_tables(array(select table_name from emptied)) as source on source.name = emptied.table_name
),

sessions as (
    insert into analytics.session_changes (table_oid, operation)
    select
        table_oid,
        'everything'
    from logged
    where is_histories and table_oid is not null
)

select analytics.log_everything(table_name) from logged
where not is_histories;
