-- Columns that refer to rows of the application without a valid foreign key.
-- out: one row per column: column, refers_to, remark
select
    child || '.' || column_name as "column",
    'app.' || parent as refers_to,
    case
        when obstacle is not null then obstacle
        when not is_wanted then 'switched off'
        else 'the next tick adds it'
    end as remark
from analytics.foreign_keys()
where not (is_wanted and is_right and is_valid)
order by 1;
