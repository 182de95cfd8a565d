-- in:  {values}: of the changed rows; {table}: that decides the view's rows; {row_ids}: the query for the ids of its rows that
--      are concerned; {columns}, {shown}: what the view shows of these; {operations}
return query
with change as materialized (
    select {values} from generate_subscripts($1, 1) as number
),

changed_rows as materialized (
    select * from {table} where ctid = any(array({row_ids}))
)

select {columns}, logged.operation from ({shown}) as shown cross join (values {operations}) as logged (operation);
