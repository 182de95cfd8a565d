-- Stores how to make the views of app again.
-- out: released_views; a row per view, in the order in which they were made: table_name
insert into analytics.released_views (number, table_name, statements)
select
    row_number() over (order by class.oid),
    class.relname,
    concat_ws(
        E';\n',
        format('create view app.%%I as %%s', class.relname, rtrim(pg_get_viewdef(class.oid), ';')),
        format('alter view app.%%I owner to %%s', class.relname, class.relowner::regrole),
        format('comment on view app.%%I is %%L', class.relname, obj_description(class.oid, 'pg_class')),
        (
            select
                string_agg(
                    format(
                        'grant %%s on app.%%I to %%s%%s',
                        lower(given.privilege_type),
                        class.relname,
                        case given.grantee when 0 then 'public' else given.grantee::regrole::text end,
                        case when given.is_grantable then ' with grant option' else '' end
                    ),
                    E';\n' order by given.grantee, given.privilege_type
                )
            from aclexplode(class.relacl) as given
            where given.grantee <> class.relowner
        )
    )
from pg_class as class
where class.relnamespace = 'app'::regnamespace and class.relkind = 'v'
order by class.oid
returning table_name;
