-- name: stage
-- Where the rows of an export are, until the transaction ends, as the histories table would store them.
-- in:  {histories}
create temporary table pg_temp.imported on commit drop as
select
    0 as line,
    session_id,
    message,
    created_at
from {histories}
with no data;


-- name: load
-- Loads the rows of an export that a histories table does not have. If several rows are equal, loads as many as are missing.
-- in:  {histories}; pg_temp.imported
-- out: one row: loaded, there (how many the table had already)
with present as materialized (
    select
        session_id::text collate "C" as session_id,
        message::text collate "C" as message,
        created_at,
        count(*) as rows
    from {histories}
    where created_at in (select created_at from pg_temp.imported)
    group by 1, 2, 3
),

numbered as materialized (
    select
        imported.*,
        row_number() over (
            partition by imported.session_id::text collate "C", imported.message::text collate "C", imported.created_at
            order by imported.line
        ) <= coalesce(present.rows, 0) as is_there
    from pg_temp.imported
    left join present
        on present.session_id = imported.session_id::text collate "C"
            and present.message = imported.message::text collate "C"
            and present.created_at = imported.created_at
),

loaded as (
    insert into {histories} (session_id, message, created_at)
    select
        session_id,
        message,
        created_at
    from numbered
    where not is_there
    order by line
    returning 1
)

select
    (select count(*) from loaded) as loaded,
    (select count(*) from numbered where is_there) as there;
