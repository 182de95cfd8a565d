-- Keys of which a table does not have the rows that its SELECT returns.
-- in:  {select}, {table}, {columns}, {key}
-- out: their number
with wanted as ({select}),

found as (select {columns} from {table})

select count(distinct ({key}))
from (
    (select {columns} from wanted except all table found)
    union all
    (table found except all select {columns} from wanted)
) as different;
