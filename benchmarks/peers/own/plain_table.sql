-- in:  table
-- out: a statement that creates it with its columns, defaults and primary key, and nothing else of it
select format(
    'create table %%s (%%s%%s)', attribute.attrelid::regclass,
    string_agg(
        format(
            '%%I %%s%%s', attname, format_type(atttypid, atttypmod), ' default ' || pg_get_expr(adbin, adrelid)
        ), ', ' order by attnum
    ),
    ', ' || (
        select pg_get_constraintdef(oid) from pg_constraint
        where conrelid = attribute.attrelid and contype = 'p'
    )
)
from pg_attribute as attribute
left join pg_attrdef on adrelid = attrelid and adnum = attnum
where attrelid = %(table)s::regclass and attnum > 0 and not attisdropped
group by attrelid;
