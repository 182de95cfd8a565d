-- Keys of which a table does not have the rows that its SELECT returns.
-- in:  a SELECT, a table, their columns, the key
-- out: the key as text
with wanted as ({select}),

found as (select {columns} from {table})

select distinct row({key})::text
from (
    (select {columns} from wanted except all table found)
    union all
    (table found except all select {columns} from wanted)
) as different;
