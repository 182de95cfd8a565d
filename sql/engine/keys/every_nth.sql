-- Divides the keys of a scope.
-- in:  {keys}: a query that finds them; {columns}, {key}: the columns that identify and order them; {is_selected}: whether a key
--      is of the selection; %(nth)s
-- out: every nth key, in their order
select {columns} from (
    select
        {columns},
        row_number() over (order by {key}) as number
    from (
{keys}
    ) as found
    where {is_selected}
) as numbered
where mod(number, %(nth)s) = 0
order by number;
