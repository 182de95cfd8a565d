-- name: sample
-- Copies some rows of a table.
-- in:  {relation}; {rows}: how many
copy (select * from {relation} limit {rows}) to stdout;


-- name: columns
-- The columns of tables.
-- in:  %(relations)s: as schema.name
-- out: one row for each: relation, name, type, category (of its values), labels (of an enum), is_nullable, is_unique,
--      is_generated, refers_to (the table and column of a foreign key of this column alone)
select
    named.relation,
    attribute.attname as name,
    format_type(attribute.atttypid, attribute.atttypmod) as type,
    case
        when type.typtype = 'e' then 'enum'
        when type.typcategory = 'A' then 'array'
        when type.typname in ('uuid', 'json', 'jsonb', 'date', 'timestamp', 'timestamptz') then type.typname
        when type.typcategory in ('N', 'B', 'T') then
            case type.typcategory when 'N' then 'number' when 'B' then 'boolean' else 'interval' end
        else 'text'
    end as category,
    (select array_agg(enumlabel::text order by enumsortorder) from pg_enum where enumtypid = type.oid) as labels,
    attribute.attnotnull is false as is_nullable,
    exists(
        select from pg_index
        where indrelid = class.oid and indisunique and indkey::int2[] = array[attribute.attnum]
    ) as is_unique,
    attribute.attgenerated <> '' or attribute.attidentity = 'a' as is_generated,
    (
        select array[referred.oid::regclass::text, target.attname::text]
        from pg_constraint as con
        inner join pg_class as referred on referred.oid = con.confrelid
        inner join pg_attribute as target on target.attrelid = con.confrelid and target.attnum = con.confkey[1]
        where con.conrelid = class.oid and con.contype = 'f' and con.conkey = array[attribute.attnum]
        limit 1
    ) as refers_to
from unnest(%(relations)s::text[]) as named (relation)
inner join pg_class as class on class.oid = named.relation::regclass
inner join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
inner join pg_type as type on type.oid = attribute.atttypid
order by named.relation, attribute.attnum;


-- name: insert
-- Inserts a row like one of the sample, or one that is made up if there is none.
-- in:  {relation}, {columns}; {values}: an expression for each; {pool}: the sample; {seed}: which row of it
insert into {relation} ({columns})
select {values} from (values (1)) as always (one)
left join (select * from {pool} order by md5({seed}::text || ctid::text) limit 1) as pool on true;


-- name: update
-- Changes a column of some rows.
-- in:  {relation}, {column}; {value}: an expression; {seed}: which rows
update {relation} set {column} = {value}
where ctid = any(array(select ctid from {relation} order by md5({seed}::text || ctid::text) limit 1 + ({seed} * 3)::int));


-- name: delete
-- Deletes a row.
-- in:  {relation}; {seed}: which one
delete from {relation}
where ctid = any(array(select ctid from {relation} order by md5({seed}::text || ctid::text) limit 1));


-- name: known
-- A value that a row has.
-- in:  {relation}, {column}; {seed}: of which row
select {column} from {relation}
order by md5({seed}::text || ctid::text)
limit 1;


-- name: of_uuid
-- in:  {number}
md5({number}::text)::uuid;


-- name: of_json
-- in:  {number}
json_build_object('n', {number});


-- name: of_jsonb
-- in:  {number}
jsonb_build_object('n', {number});


-- name: of_date
-- in:  {number}
date '2026-01-01' + ({number} * 3);


-- name: of_timestamp
-- in:  {number}
timestamp '2026-01-01' + {number} * interval '31 hours';


-- name: of_timestamptz
-- in:  {number}
timestamptz '2026-01-01 00:00+00' + {number} * interval '31 hours';


-- name: of_interval
-- in:  {number}
{number} * interval '1 hour';


-- name: of_number
-- in:  {number}
{number};


-- name: of_boolean
-- in:  {number}
mod({number}, 2) = 0;


-- name: of_enum
-- in:  {label}, {type}
{label}::{type};


-- name: of_array
-- in:  {type}
'{{}}'::{type};


-- name: of_text
-- in:  {number}, {type}
('value ' || {number})::{type};


-- name: difference
-- Rows that a table should have and has not, and the reverse.
-- in:  {query}, {table}; {columns}; {key}: of rows; {rows}: how many are returned
-- out: one row for each: difference (missing or wrong), row
with wanted as (
    select {columns} from (
{query}
    ) as rows
    where ({key}) is not null
)

select
    difference,
    row
from (
    select
        'missing' as difference,
        missing::text as row
    from (select * from wanted except all select {columns} from {table}) as missing
    union all
    select
        'wrong',
        wrong::text
    from (select {columns} from {table} except all select * from wanted) as wrong
) as found
order by row, difference
limit {rows};
