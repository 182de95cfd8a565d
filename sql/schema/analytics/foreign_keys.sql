-- The columns of analytics that refer to rows of the application, and their foreign keys. With a foreign key, rows vanish with
-- the row that they refer to; without one, at the next tick. One is wanted unless catalog_state says otherwise, and where the
-- table that it refers to can have one.
create or replace function analytics.foreign_keys() returns table (
    name text, child text, column_name text, parent text, on_delete text,
    is_wanted boolean, is_right boolean, is_valid boolean, obstacle text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with wanted as (
        select
            format('%s_%s_fkey', given.child, given.column_name) as name,
            given.*,
            to_regclass('app.' || given.parent)::oid as parent_oid,
            (
                select attribute.attnotnull from pg_attribute as attribute
                where attribute.attrelid = to_regclass('analytics.' || given.child) and attribute.attname = given.column_name
            ) as is_required
        from analytics.declared_references() as given
    ),
    possible as (
        select
            wanted.*,
            case
                when wanted.parent_oid is null then 'it does not exist'
                when class.relkind not in ('r', 'p') then 'it is not a table'
                when class.relpersistence <> 'p' then 'it is unlogged'
                when not has_table_privilege(binder.proowner, class.oid, 'references')
                    then format('its owner has not granted references on it to %s', binder.proowner::regrole)
                when not exists (
                    select from pg_index as index
                    inner join pg_attribute as attribute
                        on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
                    where index.indrelid = wanted.parent_oid
                        and attribute.attname = 'id'
                        and index.indnkeyatts = 1
                        and index.indisunique
                        and index.indisvalid
                        and index.indimmediate
                        and index.indpred is null
                ) then 'it has no unique key (id)'
            end as obstacle
        from wanted
        left join pg_class as class on class.oid = wanted.parent_oid
        left join pg_proc as binder on binder.oid = to_regprocedure('analytics.bind_foreign_key(text)')
    )
    select
        possible.name,
        possible.child,
        possible.column_name,
        possible.parent,
        case when possible.is_required then 'cascade' else 'set null' end,
        wished.is_wanted,
        case when wished.is_wanted then coalesce(key.confrelid = possible.parent_oid and id.attname = 'id', false) else key.oid is null end,
        coalesce(key.convalidated, false),
        case when state.has_foreign_keys then possible.obstacle end
    from possible
    cross join analytics.catalog_state as state
    cross join lateral (select state.has_foreign_keys and possible.obstacle is null as is_wanted) as wished
    left join pg_constraint as key
        on key.conrelid = to_regclass('analytics.' || possible.child) and key.conname = possible.name and key.contype = 'f'
    left join pg_attribute as id on id.attrelid = key.confrelid and id.attnum = key.confkey[1]
$$;
comment on function analytics.foreign_keys is
'The columns of analytics that refer to rows of the application: whether a foreign key is wanted, right and valid, or why there '
'can be none. Internal.';

-- Drops a foreign key that is not right, and adds it where it is wanted, not yet valid. It waits for its first lock, shorter
-- than deadlock_timeout; the others are taken at once or not at all, so that nobody waits for this in a circle.
create or replace function analytics.bind_foreign_key(key_name text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    key record;
    former regclass;
begin
    select * into key from analytics.foreign_keys() where name = key_name;
    if not found then
        raise exception '% is not a foreign key of the pipeline', key_name using errcode = 'insufficient_privilege';
    end if;
    if key.is_right then
        return;
    end if;
    select confrelid into former from pg_constraint
    where conrelid = to_regclass('analytics.' || key.child) and conname = key.name and contype = 'f';
    if former is not null then
        perform analytics.lock_source(former, 'access exclusive');
    end if;
    execute format('lock table analytics.%I in access exclusive mode nowait', key.child);
    perform set_config('lock_timeout', '1ms', true);
    execute format('alter table analytics.%I drop constraint if exists %I', key.child, key.name);
    if key.is_wanted then
        execute format(
            'alter table analytics.%I add constraint %I foreign key (%I) references app.%I (id) on delete %s not valid',
            key.child, key.name, key.column_name, key.parent, key.on_delete
        );
    end if;
end
$$;
revoke all on function analytics.bind_foreign_key(text) from public;
