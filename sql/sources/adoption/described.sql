-- How to make the views of app again: with their options, owners, comments, defaults, rights and triggers of the owner.
-- in:  %(names)s: of these; null: of all of them
-- out: a row per view, in the order in which they were made: table_name, definition, rights (text[])
select
    class.relname::text as table_name,
    format(
        'create view app.%%I%%s as %%s',
        class.relname,
        ' with (' || array_to_string(class.reloptions, ', ') || ')',
        rtrim(pg_get_viewdef(class.oid), ';')
    ) as definition,
    array_remove(
        array[
            format('alter view app.%%I owner to %%s', class.relname, class.relowner::regrole),
            format('comment on view app.%%I is %%L', class.relname, obj_description(class.oid, 'pg_class'))
        ]
        || array(
            select format('comment on column app.%%I.%%I is %%L', class.relname, attname, col_description(attrelid, attnum))
            from pg_attribute
            where attrelid = class.oid and attnum > 0 and col_description(attrelid, attnum) is not null
            order by attnum
        )
        || array(
            select
                format(
                    'alter view app.%%I alter %%I set default %%s', class.relname, attname, pg_get_expr(adbin, adrelid)
                )
            from pg_attrdef
            inner join pg_attribute on attrelid = adrelid and attnum = adnum
            where adrelid = class.oid
            order by adnum
        )
        || array(
            select
                format(
                    'grant %%s%%s on app.%%I to %%s%%s',
                    lower(given.privilege_type),
                    ' (' || quote_ident(acls.attname) || ')',
                    class.relname,
                    case given.grantee when 0 then 'public' else given.grantee::regrole::text end,
                    case when given.is_grantable then ' with grant option' else '' end
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
            order by given.grantee, given.privilege_type, acls.attname
        )
        || array(
            select pg_get_triggerdef(oid) from pg_trigger
            where tgrelid = class.oid and not tgisinternal and tgname not like 'convo\_pipelines\_%%'
            order by tgname
        ),
        null
    ) as rights
from pg_class as class
where class.relnamespace = 'app'::regnamespace and class.relkind = 'v'
    and (%(names)s::text[] is null or class.relname = any(%(names)s::text[]))
order by class.oid;
