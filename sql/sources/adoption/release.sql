-- Stores how to make the views of app again: with their options, owners, comments, defaults, rights and triggers of the owner.
-- Those of a release before stay, unless there is a view of that name again.
-- out: released_views; a row per view: table_name
with replaced as (
    delete from analytics.released_views
    where to_regclass(format('app.%%I', table_name)) is not null
)

insert into analytics.released_views (number, table_name, statements)
select
    (select coalesce(max(number), 0) from analytics.released_views) + row_number() over (order by class.oid),
    class.relname,
    concat_ws(
        E';\n',
        format(
            'create view app.%%I%%s as %%s',
            class.relname,
            ' with (' || array_to_string(class.reloptions, ', ') || ')',
            rtrim(pg_get_viewdef(class.oid), ';')
        ),
        format('alter view app.%%I owner to %%s', class.relname, class.relowner::regrole),
        format('comment on view app.%%I is %%L', class.relname, obj_description(class.oid, 'pg_class')),
        (
            select
                string_agg(
                    concat_ws(
                        E';\n',
                        format('comment on column app.%%I.%%I is %%L', class.relname, attname, col_description(attrelid, attnum)),
                        (
                            select
                                format(
                                    'alter view app.%%I alter %%I set default %%s',
                                    class.relname,
                                    attribute.attname,
                                    pg_get_expr(adbin, adrelid)
                                )
                            from pg_attrdef
                            where adrelid = attribute.attrelid and adnum = attribute.attnum
                        )
                    ),
                    E';\n' order by attnum
                )
            from pg_attribute as attribute
            where attribute.attrelid = class.oid and attribute.attnum > 0
        ),
        (
            select
                string_agg(
                    format(
                        'grant %%s%%s on app.%%I to %%s%%s',
                        lower(given.privilege_type),
                        ' (' || quote_ident(acls.attname) || ')',
                        class.relname,
                        case given.grantee when 0 then 'public' else given.grantee::regrole::text end,
                        case when given.is_grantable then ' with grant option' else '' end
                    ),
                    E';\n' order by given.grantee, given.privilege_type, acls.attname
                )
            from (
                select
                    null as attname,
                    class.relacl as acl
                union all
                select
                    attname,
                    attacl
                from pg_attribute
                where attrelid = class.oid and attacl is not null
            ) as acls
            cross join lateral aclexplode(acls.acl) as given
            where given.grantee <> class.relowner
        ),
        (
            select string_agg(pg_get_triggerdef(oid), E';\n' order by tgname) from pg_trigger
            where tgrelid = class.oid and not tgisinternal and tgname not like 'convo\_pipelines\_%%'
        )
    )
from pg_class as class
where class.relnamespace = 'app'::regnamespace and class.relkind = 'v'
returning table_name;
