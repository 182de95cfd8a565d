-- name: clients_by_client_id
-- The code of each client.
-- out: client_id, client_code
select
    client_id,
    client_code
from analytics.client_names;


-- name: clients_by_crew_id
-- The client of each crew.
-- out: crew_id, client_code
select
    owner.crew_id,
    client.client_code
from analytics.crew_names as owner
inner join analytics.client_names as client on client.client_id = owner.client_id;


-- name: clients_by_conversation_id
-- The client of each conversation.
-- out: conversation_id, client_code
select
    owner.conversation_id,
    client.client_code
from analytics.conversation_owners as owner
inner join analytics.client_names as client on client.client_id = owner.client_id;


-- name: clients_by_contact_method_id
-- The client of each contact method: that of its person.
-- out: contact_method_id, client_code
select
    resolution.contact_method_id,
    client.client_code
from analytics.participant_resolutions as resolution
inner join analytics.person_names as person on person.person_id = resolution.person_id
inner join analytics.client_names as client on client.client_id = person.client_id;


-- name: columns
-- The columns of a table that a refresh computes, with their types.
-- in:  %(relation)s; %(names)s: their names
-- out: one row per column, in their order: name, type
select
    attname::text as name,
    format_type(atttypid, atttypmod) as type
from pg_attribute
where attrelid = %(relation)s::regclass and attname = any(%(names)s::text[])
order by attnum;


-- name: differences
-- What differs between a derived table and a query of whatever did the job before.
-- in:  {query}; {relation}; {key}; {columns}: the key, and the other columns that both have; {converted}: those of the query,
--      in the types of the table; {pairs}: pair for each of the other columns; {key_as_json}; {clients}: the client_code of
--      each value of the column {named_by} of the key; %(client)s: client_code, or null for all; %(most)s: examples of each
-- out: one row per client and finding: client_code (null: no client), finding, column_name, rows, examples (jsonb array); first
--      one with the finding 'compared': the rows of the query
with former as materialized (
    select {converted}
    from (
{query}
    ) as query
),

compared as materialized (
    select
        {key},
        former.is_there is null as is_surplus,
        present.is_there is null as is_missing,
        pair.*
    from (
        select
            *,
            true as is_there
        from former
    ) as former
    full join (
        select
            {columns},
            true as is_there
        from {relation}
    ) as present using ({key})
    cross join lateral (
        select
            null::text as column_name,
            former.is_there is distinct from present.is_there as is_different,
            null::text as former_value,
            null::text as present_value
        {pairs}
    ) as pair
    where former is distinct from present
        and pair.is_different and (pair.column_name is null or former.is_there and present.is_there)
),

found as (
    select
        case when is_surplus then 'surplus' when is_missing then 'missing' else 'different' end as finding,
        column_name,
        former_value,
        present_value,
        {key}
    from compared
    union all
    select
        'doubled',
        null,
        null,
        null,
        {key}
    from former
    group by {key}
    having count(*) > 1
),

owned as (
    select
        found.*,
        owner.client_code,
        row_number() over (
            partition by owner.client_code, found.finding, found.column_name
            order by {key}
        ) as place
    from found
    left join (
{clients}
    ) as owner using ({named_by})
    where %(client)s::text is null or owner.client_code = %(client)s
),

findings as (
    select
        null as client_code,
        'compared' as finding,
        null as column_name,
        (select count(*) from former) as rows,
        null as examples
    union all
    select
        client_code,
        finding,
        column_name,
        count(*),
        jsonb_agg(
            jsonb_strip_nulls(jsonb_build_object('query', former_value, 'table', present_value)) || {key_as_json}
            order by place
        ) filter (where place <= %(most)s)
    from owned
    group by client_code, finding, column_name
)

select * from findings
order by finding <> 'compared', client_code, finding, column_name;


-- name: described
-- The columns of a query.
-- in:  {query}
-- out: no rows
select * from (
{query}
) as query
limit 0;


-- name: pair
-- Whether a column differs, and both values.
-- in:  former, present: the rows; {name}, {column}
union all
select
    {name},
    former.{column} is distinct from present.{column},
    former.{column}::text,
    present.{column}::text;
